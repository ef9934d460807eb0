"""Events of uploads, and the live text of an upload; pure."""

from __future__ import annotations

import msgspec

from .errors import Cancelled, ReadingFailed
from .messages import TERMINAL_STATUSES, Instance, LinePosition, ServerMessage, Status

_TERMINAL_BY_NAME: dict[str, Status] = {status: status for status in TERMINAL_STATUSES}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base class. `cursor` is the position in the user's event log; None where the server has no log."""

    cursor: str | None = None

    @property
    def upload_id(self) -> str | None:
        """Id of the upload; None for an event of all uploads."""
        return None


class Snapshot(Event, frozen=True, kw_only=True):
    """All uploads as they are now: the first event, and the one that replaces events the server has lost."""

    uploads: tuple[Instance, ...]


class InstanceEvent(Event, frozen=True, kw_only=True):
    """Base class of events that carry the whole upload."""

    instance: Instance

    @property
    def upload_id(self) -> str:
        return self.instance.id


class Created(InstanceEvent, frozen=True, kw_only=True):
    """A new upload. With `duplicate`, the user's earlier upload of the same bytes."""

    duplicate: bool = False


class Updated(InstanceEvent, frozen=True, kw_only=True):
    """A changed upload. A retry sets `instance.status` to "pending"."""


class Deleted(InstanceEvent, frozen=True, kw_only=True):
    """A deleted upload; `instance` is its last state."""


class Progress(Event, frozen=True, kw_only=True):
    """Live text of an upload.

    Attributes:
        page: Page number from 1; None where the server streams the whole text, which is then `page_text`.
        page_text: The text of this page so far.
        pages: The texts of all pages so far, in order.
        line: Position of the newest line.
        done: True if the page is finished; its text does not change again.
    """

    id: str
    page: int | None
    page_count: int | None
    page_text: str
    pages: tuple[str, ...]
    line: LinePosition | None = None
    done: bool = False

    @property
    def upload_id(self) -> str:
        return self.id

    @property
    def text(self) -> str:
        """The whole text so far, as Markdown."""
        return "\n\n".join(page for page in self.pages if page)


class Finished(Event, frozen=True, kw_only=True):
    """The end of a reading. Status "processed" comes with the texts, the others with `error`.

    instance: the upload, with its texts if it is processed; None from a server of an earlier version.
    """

    id: str
    status: Status
    raw_text: str | None = None
    processed_text: str | None = None
    error: str | None = None
    instance: Instance | None = None

    @property
    def upload_id(self) -> str:
        return self.id

    def result(self) -> str:
        """Return the Markdown.

        Raises:
            ReadingFailed: The server could not read the file.
            Cancelled: The upload was cancelled.
        """
        if self.status == "processed":
            return self.raw_text or ""
        error_type = Cancelled if self.status == "cancelled" else ReadingFailed
        raise error_type(self.id, self.error or "The reading ended without a text.")

    def with_instance(self, instance: Instance) -> Finished:
        """Return the event with the upload, to which the texts are added."""
        texts = {"raw_text": self.raw_text, "processed_text": self.processed_text}
        return msgspec.structs.replace(self, instance=msgspec.structs.replace(instance, **texts))

    @classmethod
    def from_instance(cls, instance: Instance) -> Finished:
        """Build the event from the present state of an upload that is terminal."""
        return cls(
            id=instance.id,
            status=instance.status,
            raw_text=instance.raw_text,
            processed_text=instance.processed_text,
            error=instance.error,
            instance=instance,
        )


AnyEvent = Snapshot | Created | Updated | Deleted | Progress | Finished
"""Union of all events: a `match` over it can be checked for completeness."""


def event_from_message(message: ServerMessage) -> Created | Updated | Deleted | Finished | None:
    """Return the event of a message; None for live text, other messages and unknown types."""
    instance, cursor = message.instance, message.cursor
    if message.error_fields is not None:
        return None
    if instance is not None:
        if message.type == "Upload.created":
            return Created(instance=instance, cursor=cursor, duplicate=message.duplicate)
        if message.type == "Upload.deleted":
            return Deleted(instance=instance, cursor=cursor)
        if message.type == "Upload.status":
            return None  # its live text or its end tells the same
        return Updated(instance=instance, cursor=cursor)
    if message.type == "Upload.status" and message.id is not None and message.status in _TERMINAL_BY_NAME:
        return _finished_from_message(message, message.id, _TERMINAL_BY_NAME[message.status])
    return None


def _finished_from_message(message: ServerMessage, upload_id: str, status: Status) -> Finished:
    return Finished(
        id=upload_id,
        status=status,
        raw_text=message.raw_text,
        processed_text=message.processed_text,
        error=message.error if isinstance(message.error, str) else None,
        cursor=message.cursor,
    )


class LiveText:
    """Pages of an upload that the server reads, assembled from partials of any stream mode."""

    def __init__(self) -> None:
        self._pages: dict[int, str] = {}

    def apply(self, partial: ServerMessage) -> Progress | None:
        """Add a partial, and return the text so far.

        Returns:
            None if a delta does not fit the text so far; the caller then requests the whole text.
        """
        assert partial.id is not None
        assert partial.streamed_text is not None
        number = partial.page or 0
        text = partial.streamed_text
        if partial.offset:
            before = self._pages.get(number, "")
            if len(before) != partial.offset:
                return None
            text = before + text
        self._pages[number] = text
        return Progress(
            id=partial.id,
            page=partial.page,
            page_count=partial.page_count,
            page_text=text,
            pages=tuple(self._pages[n] for n in sorted(self._pages)),
            line=partial.line,
            done=partial.done,
        )
