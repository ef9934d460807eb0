"""What the server sends → events, each once and in order, over any number of connections; pure.

Each connection begins with `subscribe_request()`. What comes is given to `take`, which gives events back; after each call
the requests of `pending_requests()` are to be sent. Nothing is told between a cut and the moment when it is known
what happened meanwhile: join first, then read, then apply.

- A server with a log sends what was missed (`recovered`), or where it cannot, the list of all uploads first.
- One without is asked for the list; what comes before its answer is held back and told after it. Each event
  says how the upload is then, so one that the list has in it already does no harm.
"""

from __future__ import annotations

from .errors import ConnectionLost
from .events import Deleted, Event, Finished, LiveText, Snapshot, Updated, event_from_message
from .messages import Instance, Json, ServerMessage, Stream

LIST_REF = "follower-list"
RESYNC_REF = "follower-resync"
# As many as the server gives at most.
LIST_LIMIT = 10_000


class EventSynchronizer:
    """`cursor` is the place of the last event that was told."""

    def __init__(self, stream: Stream = "pages") -> None:
        self.stream: Stream = stream
        self.cursor: str | None = None
        self._outgoing: list[Json] = []
        self._live: dict[str, LiveText] = {}
        self._held: list[ServerMessage] | None = []
        self._listed: list[Instance] = []
        self._head: str | None = None
        self._since: str | None = None
        self._acknowledged = self._asked = False
        self._was_connected = self._wants_all = False
        self._has_log = self._has_pages = False
        self._resyncing: set[str] = set()

    # ── what the connection calls ──

    def subscribe_request(self) -> Json:
        """The first request of a new connection; nothing of the one before comes any more."""
        self._outgoing.clear()
        self._live.clear()
        self._resyncing.clear()
        self._held, self._listed = [], []
        self._acknowledged = self._asked = False
        self._since = self.cursor
        subscribe: Json = {"type": "subscribe", "stream": self.stream}
        return subscribe if self._since is None else subscribe | {"since": self._since}

    def request_snapshot(self) -> None:
        """A `Snapshot` is wanted, before any other event."""
        self._wants_all = True
        if self._acknowledged and not self._asked:
            self._ask()

    def take(self, message: ServerMessage) -> list[Event]:
        """Raises `ConnectionLost` where only a new connection helps."""
        if message.is_acknowledgement:
            return [] if self._acknowledged else self._acknowledge(message)
        if message.type == "Upload.list" and message.ref in (None, LIST_REF):
            return self._take_list(message)
        if self._held is not None:
            self._held.append(message)
            return []
        return self._tell(message)

    def pending_requests(self) -> list[Json]:
        """What is to be sent now."""
        requests, self._outgoing = self._outgoing, []
        return requests

    # ── the beginning of a connection ──

    def _acknowledge(self, message: ServerMessage) -> list[Event]:
        self._acknowledged = True
        self._has_log = message.cursor is not None
        self._has_pages = message.type is not None and self.stream != "full"
        self._wants_all |= self._was_connected and not message.recovered
        if self._has_log and (self._wants_all or self._since is not None):
            # What came before the acknowledgement comes again, or the list has it.
            self._held = [held for held in self._held or [] if held.is_partial]
        if message.recovered is False:
            self._head, self._asked = message.cursor, True
            return []
        if self._has_log:
            self.cursor = message.cursor
        self._was_connected = True
        if self._wants_all:
            self._ask()
            return []
        return self._release()

    def _ask(self, cursor: str | None = None) -> None:
        self._asked = True
        self._held = self._held if self._held is not None else []
        page = {} if cursor is None else {"cursor": cursor}
        self._outgoing.append({"type": "list", "limit": LIST_LIMIT, "ref": LIST_REF} | page)

    def _take_list(self, message: ServerMessage) -> list[Event]:
        if message.uploads is None:
            raise ConnectionLost("The server could not list the uploads.")
        self._listed += message.uploads
        if message.ref is not None and message.next is not None:
            self._ask(message.next)
            return []
        if message.ref is None:
            self.cursor = self._head
        listed = Snapshot(uploads=tuple(self._listed), cursor=self.cursor)
        self._was_connected, self._wants_all, self._asked, self._listed = True, False, False, []
        return [listed, *self._release()]

    def _release(self) -> list[Event]:
        held, self._held = self._held or [], None
        return [event for message in held for event in self._tell(message)]

    # ── messages ──

    def _tell(self, message: ServerMessage) -> list[Event]:
        if message.is_partial:
            return self._progress(message)
        if message.ref is not None and not self._is_in_place_of_an_event(message):
            return []
        event = event_from_message(message)
        if event is None or is_at_or_before(event.cursor, self.cursor):
            return []
        self.cursor = event.cursor or self.cursor
        if isinstance(event, Deleted | Finished) or (
            isinstance(event, Updated) and event.instance.status == "pending"
        ):
            self._live.pop(event.upload_id, None)
        return [event]

    def _is_in_place_of_an_event(self, reply: ServerMessage) -> bool:
        """A server without a log tells who asked for a change of it by the reply alone."""
        return not self._has_log and not (reply.type == "Upload.status" and reply.instance is not None)

    def _progress(self, partial: ServerMessage) -> list[Event]:
        assert partial.id is not None
        if self._has_pages and partial.page is None:
            return []  # it was on its way before the server knew what is wanted
        progress = self._live.setdefault(partial.id, LiveText()).take(partial)
        if progress is not None:
            self._resyncing.discard(partial.id)
            return [progress]
        if partial.id not in self._resyncing:
            self._resyncing.add(partial.id)
            self._outgoing.append({"type": "resync", "instance_id": partial.id, "ref": RESYNC_REF})
        return []


def is_at_or_before(cursor: str | None, other: str | None) -> bool:
    """Of the same epoch, and no later. What does not compare is not."""
    if cursor is None or other is None:
        return False
    epoch, _, seq = cursor.rpartition(":")
    other_epoch, _, other_seq = other.rpartition(":")
    if epoch != other_epoch or not (seq.isdecimal() and other_seq.isdecimal()):
        return False
    return int(seq) <= int(other_seq)
