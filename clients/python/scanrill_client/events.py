"""What happens to uploads, as clients are told of it; and the text of one that is being read; pure."""

from __future__ import annotations

import msgspec

from .errors import Cancelled, ReadingFailed
from .messages import Instance, LinePosition, ServerMessage, Status


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`cursor` is its place among all that happens to the user's uploads, where the server tells it."""

    cursor: str | None = None

    @property
    def upload_id(self) -> str | None:
        """Whose event it is; None of what is about all of them."""
        return None


class Snapshot(Event, frozen=True, kw_only=True):
    """All uploads as they are now: at first, and where what happened meanwhile could not be learnt."""

    uploads: tuple[Instance, ...]


class Change(Event, frozen=True, kw_only=True):
    instance: Instance

    @property
    def upload_id(self) -> str:
        return self.instance.id


class Created(Change, frozen=True, kw_only=True):
    """`duplicate`: the user had these bytes already, and this is the upload that holds them."""

    duplicate: bool = False


class Updated(Change, frozen=True, kw_only=True):
    """Somebody changed it, or (`instance.status` is "pending") it is going to be read again."""


class Deleted(Change, frozen=True, kw_only=True):
    """`instance` is its last state."""


class Progress(Event, frozen=True, kw_only=True):
    """There is more text of an upload that is being read.

    `page` counts from 1; it is None where the server streams all text at once, which is in `page_text` then.
    `done`: the page is finished, and its text does not change again. `line` is where the newest line stands.
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
        """All the text so far, as Markdown."""
        return "\n\n".join(page for page in self.pages if page)


class Finished(Event, frozen=True, kw_only=True):
    """The reading is over. The texts are there when `status` is "processed", `error` when it is another."""

    id: str
    status: Status
    raw_text: str | None = None
    processed_text: str | None = None
    error: str | None = None

    @property
    def upload_id(self) -> str:
        return self.id

    def result(self) -> str:
        """The Markdown. Raises `ReadingFailed` or `Cancelled` with the server's sentence."""
        if self.status == "processed":
            return self.raw_text or ""
        raised = Cancelled if self.status == "cancelled" else ReadingFailed
        raise raised(self.id, self.error or "The reading ended without a text.")

    @classmethod
    def of(cls, instance: Instance) -> Finished:
        """The end of an upload, told by how it is now."""
        return cls(
            id=instance.id,
            status=instance.status,
            raw_text=instance.raw_text,
            processed_text=instance.processed_text,
            error=instance.error,
        )


def event_from_message(message: ServerMessage) -> Change | Finished | None:
    """The event that a message tells of; None where it tells of none, or of one from the future."""
    instance, cursor = message.instance, message.cursor
    if message.refusal is not None:
        return None
    if instance is not None:
        if message.type == "Upload.created":
            return Created(instance=instance, cursor=cursor, duplicate=message.duplicate)
        if message.type == "Upload.deleted":
            return Deleted(instance=instance, cursor=cursor)
        return Updated(instance=instance, cursor=cursor)
    if message.type == "Upload.status" and message.id is not None and message.status in ENDED_STATUSES:
        return _ended(message, message.id, ENDED_STATUSES[message.status])
    return None


def _ended(message: ServerMessage, upload_id: str, status: Status) -> Finished:
    return Finished(
        id=upload_id,
        status=status,
        raw_text=message.raw_text,
        processed_text=message.processed_text,
        error=message.error if isinstance(message.error, str) else None,
        cursor=message.cursor,
    )


ENDED_STATUSES: dict[str, Status] = {"processed": "processed", "error": "error", "cancelled": "cancelled"}


class LiveText:
    """The pages of an upload that is being read, put together from its partials, however they come."""

    def __init__(self) -> None:
        self._pages: dict[int, str] = {}

    def take(self, partial: ServerMessage) -> Progress | None:
        """What there is now, or None: a delta does not fit, and all of the text must be asked for."""
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
