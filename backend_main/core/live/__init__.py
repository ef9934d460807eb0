"""The live path: sends the event log and live text to connections, in order and without loss.

Everything runs on the event loop of a server; the database is read through `db.executor`. It may import
`event_log`, `uploads.queries`, `jobs.options`, `auth`, `pubsub`, `protocol` and below; no view and no reader.

- `hub`: joins and resumes connections and passes on pub/sub messages. Each second it polls the log, and
  closes the connections of deactivated users and revoked tokens.
- `user_events`: one user's events, read once for all of the user's connections.
- `replay`: the log's events after a cursor, encoded.
- `active_readings`: starts and ends live text in the order of the events.
- `live_text`: sends the live text of the documents in progress.
- `live_document`: one document's text and the partials of each stream mode.
- `page_order`: the pages of several readers in page order.
- `throttle`: when a partial is due.
- `connection`: one client's subscription, position and pending reply.
- `send_queue`: a connection's unsent events and partials.
- `watcher`: a request that waits until an upload has ended.
- `rate_limit`: messages and frames a second, and large messages at once.
- `message_memory`: memory of messages that arrive, wait or are handled.
- `server_connection`: what the server offers beside ASGI.
"""
