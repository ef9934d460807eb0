"""AnyEvent synchronization over reconnects: each event once and in order; pure.

The connection sends `subscribe_request()` first, passes each message to `receive`, and then sends the
requests of `pending_requests()`. After a cut, no event is returned before the missed ones are known:
subscribe first, then read, then apply.

- A server with an event log replays the missed events (`recovered`). If it cannot, it sends the list of
  all uploads first.
- A server without a log gets a request for the list. Messages before the list are held and applied after
  it. Each event carries the state of its upload, so one that the list already includes does no harm.
"""

from __future__ import annotations

from .errors import ConnectionLost
from .events import AnyEvent, Deleted, Finished, LiveText, Snapshot, Updated, event_from_message
from .messages import Instance, Json, ServerMessage, Stream

LIST_REF = "event-sync-list"
RESYNC_REF = "event-sync-resync"
# The maximum of the server.
LIST_LIMIT = 10_000


class EventSynchronizer:
    """Protocol state of one subscription; `cursor` is the position of the last event that was returned."""

    def __init__(self, stream: Stream = "pages") -> None:
        self.stream: Stream = stream
        self.cursor: str | None = None
        self._pending_requests: list[Json] = []
        self._live: dict[str, LiveText] = {}
        # Uploads whose reading has ended; the event of the end follows.
        self._ended: dict[str, Instance] = {}
        # Messages to apply after the list; None while events are returned at once.
        self._held: list[ServerMessage] | None = []
        self._listed: list[Instance] = []
        # The head of the log at the subscription that could not be resumed.
        self._head: str | None = None
        self._since: str | None = None
        self._is_acknowledged = self._is_list_requested = False
        self._was_connected = self._needs_snapshot = False
        self._has_log = self._has_pages = False
        self._resyncing: set[str] = set()

    # ── interface for the connection ──

    def subscribe_request(self) -> Json:
        """Return the first request of a new connection, and discard the state of the one before."""
        self._pending_requests.clear()
        self._live.clear()
        self._ended.clear()
        self._resyncing.clear()
        self._held, self._listed = [], []
        self._is_acknowledged = self._is_list_requested = False
        self._since = self.cursor
        subscribe: Json = {"type": "subscribe", "stream": self.stream}
        return subscribe if self._since is None else subscribe | {"since": self._since}

    def request_snapshot(self) -> None:
        """Make a `Snapshot` the next event."""
        self._needs_snapshot = True
        if self._is_acknowledged and not self._is_list_requested:
            self._request_list()

    def receive(self, message: ServerMessage) -> list[AnyEvent]:
        """Apply a message and return the events that follow from it.

        Raises:
            ConnectionLost: The server could not list the uploads; only a new connection helps.
        """
        if message.is_acknowledgement:
            return [] if self._is_acknowledged else self._on_acknowledgement(message)
        if message.type == "Upload.list" and message.ref in (None, LIST_REF):
            return self._on_list(message)
        if self._held is not None:
            self._held.append(message)
            return []
        return self._to_events(message)

    def pending_requests(self) -> list[Json]:
        """Return the requests to send now, and remove them."""
        requests, self._pending_requests = self._pending_requests, []
        return requests

    # ── start of a connection ──

    def _on_acknowledgement(self, message: ServerMessage) -> list[AnyEvent]:
        self._is_acknowledged = True
        self._has_log = message.cursor is not None
        self._has_pages = message.type is not None and self.stream != "full"
        self._needs_snapshot |= self._was_connected and not message.recovered
        if self._has_log and (self._needs_snapshot or self._since is not None):
            # The replay or the list includes the events from before the acknowledgement.
            self._held = [held for held in self._held or [] if held.is_partial]
        if message.recovered is False:
            self._head, self._is_list_requested = message.cursor, True
            return []
        if self._has_log:
            self.cursor = message.cursor
        self._was_connected = True
        if self._needs_snapshot:
            self._request_list()
            return []
        return self._flush_held()

    def _request_list(self, cursor: str | None = None) -> None:
        self._is_list_requested = True
        self._held = self._held if self._held is not None else []
        page = {} if cursor is None else {"cursor": cursor}
        self._pending_requests.append({"type": "list", "limit": LIST_LIMIT, "ref": LIST_REF} | page)

    def _on_list(self, message: ServerMessage) -> list[AnyEvent]:
        if message.uploads is None:
            raise ConnectionLost("The server could not list the uploads.")
        self._listed += message.uploads
        if message.ref is not None and message.next is not None:
            self._request_list(message.next)
            return []
        if message.ref is None:
            self.cursor = self._head
        snapshot = Snapshot(uploads=tuple(self._listed), cursor=self.cursor)
        self._was_connected, self._needs_snapshot = True, False
        self._is_list_requested, self._listed = False, []
        return [snapshot, *self._flush_held()]

    def _flush_held(self) -> list[AnyEvent]:
        held, self._held = self._held or [], None
        return [event for message in held for event in self._to_events(message)]

    # ── messages ──

    def _to_events(self, message: ServerMessage) -> list[AnyEvent]:
        if message.is_partial:
            return self._on_partial(message)
        if message.ref is not None and not self._reply_replaces_event(message):
            return []
        if message.type == "Upload.status" and message.instance is not None:
            self._on_status(message.instance, message.cursor)
        event = event_from_message(message)
        if event is None or is_at_or_before(event.cursor, self.cursor):
            return []
        self.cursor = event.cursor or self.cursor
        if isinstance(event, Finished) and (ended := self._ended.pop(event.id, None)):
            event = event.with_instance(ended)
        if isinstance(event, Deleted | Finished) or (
            isinstance(event, Updated) and event.instance.status == "pending"
        ):
            self._live.pop(event.upload_id, None)
        return [event]

    def _on_status(self, instance: Instance, cursor: str | None) -> None:
        """Note a reading that has begun or ended. Its live text, or its last message, is the event.

        The last message must follow again after a cut, so only the begin moves the cursor.
        """
        if instance.is_terminal:
            self._ended[instance.id] = instance
        elif not is_at_or_before(cursor, self.cursor):
            self.cursor = cursor or self.cursor

    def _reply_replaces_event(self, reply: ServerMessage) -> bool:
        """Return True for the reply to a change if the server has no log.

        Such a server sends no event to the connection that made the change.
        """
        return not self._has_log and not (reply.type == "Upload.status" and reply.instance is not None)

    def _on_partial(self, partial: ServerMessage) -> list[AnyEvent]:
        assert partial.id is not None
        if self._has_pages and partial.page is None:
            return []  # sent before the server received the stream mode
        progress = self._live.setdefault(partial.id, LiveText()).apply(partial)
        if progress is not None:
            self._resyncing.discard(partial.id)
            return [progress]
        if partial.id not in self._resyncing:
            self._resyncing.add(partial.id)
            self._pending_requests.append({"type": "resync", "instance_id": partial.id, "ref": RESYNC_REF})
        return []


def is_at_or_before(cursor: str | None, other: str | None) -> bool:
    """Return True if both cursors have one epoch and the first is not later than the second.

    Cursors that cannot be compared give False.
    """
    if cursor is None or other is None:
        return False
    epoch, _, seq = cursor.rpartition(":")
    other_epoch, _, other_seq = other.rpartition(":")
    if epoch != other_epoch or not (seq.isdecimal() and other_seq.isdecimal()):
        return False
    return int(seq) <= int(other_seq)
