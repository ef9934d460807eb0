"""Pub/sub: sends messages about changes and live text within a process, and over Redis to others.

Delivery is best effort; the event log has all changes. No module here uses the database, or needs Django.
It may import `protocol.messages` only.

- `messages`: the messages, their channels, and the handlers' types.
- `local`: pub/sub within a process, the interface of both.
- `redis`: pub/sub between processes; the sending half alone; a loop thread for a worker.
- `workers`: the workers' channel, for a server.
"""
