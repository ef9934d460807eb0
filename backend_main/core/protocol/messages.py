"""Step 4 — the messages of the WebSocket API, as types; pure: no Django, no sockets, no database.

Every message that the server sends is a struct of this module, and `encode(message)` is its JSON, with
exactly the keys of the specification; what has more goes to sockets alone that asked for it by `subscribe`
with `since` or `stream`. `decoding.decode(frame)` gives one of the requests below. `ref`, when a request had
one, stands on its reply as well.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

Status = Literal["pending", "processing", "processed", "error", "cancelled"]
Stream = Literal["full", "pages", "delta"]
"""How live text comes: all of it each time, each page by itself, or what was added to a page."""
Point = tuple[int, int]
# One component of a path at most, and nothing that a terminal or a header would act on.
FileName = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]+$")]
Priority = Literal["interactive", "batch"]
"""Whether somebody waits for the text; what nobody waits for is read when nothing else is to be."""
READ_OPTION_FIELDS = frozenset({"engine", "languages", "pages", "profile", "priority"})
EngineName = Annotated[str, Meta(min_length=1, max_length=50)]
Languages = Annotated[list[Annotated[str, Meta(min_length=2, max_length=20)]], Meta(max_length=10)]

# ── what the server sends ────────────────────────────────────────────────────────────────────────


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An upload as clients see it. The two texts are left out of `created`, `deleted` and `list`."""

    id: UUID
    owner: str
    filename: str
    image_path: str
    image_hash: str
    content_type: str
    bytes: int
    status: Status
    error: str | None
    page_count: int | None
    pages_done: int
    engine: str
    languages: list[str]
    metadata: dict[str, Any]
    warnings: list[str]
    created_at: dt.datetime
    updated_at: dt.datetime
    raw_text: str | UnsetType = UNSET
    processed_text: str | UnsetType = UNSET


class PageInstance(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page. A line has `text`, `markdown`, `box` (four corners in pixels) and `confidence`."""

    number: int
    width: int
    height: int
    markdown: str
    text: str
    lines: list[dict[str, Any]]
    warnings: list[str]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    ref: str | UnsetType = UNSET


class Subscribed(Message, frozen=True, kw_only=True):
    """Without a `type`, as the specification's example shows it; with the rest for who asked for more.

    Every event after `cursor` follows. `recovered`: where that is not from the cursor given on, a list comes
    first.
    """

    message: Literal["subscribed"] = "subscribed"
    model: Literal["Upload"] = "Upload"
    instance_id: str | None
    type: Literal["subscribed"] | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    recovered: bool | UnsetType = UNSET


class Resynced(Message, frozen=True, kw_only=True):
    """What is there of the upload's live text follows."""

    type: Literal["resynced"] = "resynced"
    instance_id: UUID


class Authenticated(Message, frozen=True, kw_only=True):
    type: Literal["authenticated"] = "authenticated"


class Pong(Message, frozen=True, kw_only=True):
    type: Literal["pong"] = "pong"


class UploadMessage(Message, frozen=True, kw_only=True):
    """`Upload.created`, `Upload.updated`, `Upload.deleted`, or `Upload.status` as reply to `retrieve`."""

    type: str
    instance: Instance
    duplicate: bool | UnsetType = UNSET


class ListMessage(Message, frozen=True, kw_only=True):
    type: Literal["Upload.list"] = "Upload.list"
    list: list[Instance]
    next: str | UnsetType | None = UNSET


class ErrorMessage(Message, frozen=True, kw_only=True):
    type: str
    error: dict[str, str]


class Partial(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: Literal["processing"] = "processing"
    streamed_text: str
    type: Literal["Upload.status"] = "Upload.status"


class LinePosition(msgspec.Struct, frozen=True):
    """Where the newest line stands: corners clockwise from the top left, in pixels of the upright page."""

    box: tuple[Point, Point, Point, Point]
    width: int
    height: int


class PagePartial(msgspec.Struct, frozen=True, kw_only=True):
    """The text so far of one page. `done`: the page is finished, and this is its final Markdown."""

    id: UUID
    status: Literal["processing"] = "processing"
    type: Literal["Upload.status"] = "Upload.status"
    page: int
    page_count: int | None
    streamed_text: str
    line: LinePosition | None
    done: Literal[True] | UnsetType = UNSET


class DeltaPartial(PagePartial, frozen=True, kw_only=True):
    """`streamed_text` stands behind the first `offset` code points of the page; at 0 it is all of it."""

    offset: int


class Processed(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    status: Literal["processed"] = "processed"
    raw_text: str
    processed_text: str
    type: Literal["Upload.status"] = "Upload.status"


class Failed(Message, frozen=True, kw_only=True):
    """The terminal message of an upload that could not be read, or was cancelled: the reply to `cancel`."""

    id: UUID
    status: Literal["error", "cancelled"]
    type: Literal["Upload.status"] = "Upload.status"
    error: str


def error(fields: dict[str, str], *, reply_type: str = "error", ref: str | None = None) -> ErrorMessage:
    """The reply to a request that cannot be carried out."""
    return ErrorMessage(type=reply_type, error=fields, ref=UNSET if ref is None else ref)


DurableMessage = UploadMessage | Processed | Failed
"""What is told of an upload for good, and kept in the log of events."""
LiveText = Partial | PagePartial | DeltaPartial
AnyMessage = Message | Processed | LiveText


def kind(change: DurableMessage) -> str:
    """created, updated, deleted, processed, error or cancelled."""
    return change.type.removeprefix("Upload.") if isinstance(change, UploadMessage) else change.status


def without_texts(change: DurableMessage) -> DurableMessage:
    if isinstance(change, Processed):
        return msgspec.structs.replace(change, raw_text="", processed_text="")
    if isinstance(change, UploadMessage):
        bare = msgspec.structs.replace(change.instance, raw_text=UNSET, processed_text=UNSET)
        return msgspec.structs.replace(change, instance=bare)
    return change


def with_texts(change: DurableMessage, raw_text: str, processed_text: str) -> DurableMessage:
    """As it was before `without_texts`, for the kinds that `KINDS_WITH_TEXTS` names."""
    texts = {"raw_text": raw_text, "processed_text": processed_text}
    if isinstance(change, UploadMessage):
        return msgspec.structs.replace(change, instance=msgspec.structs.replace(change.instance, **texts))
    return msgspec.structs.replace(change, **texts)


def decode_change(kind: str, text: str) -> DurableMessage:
    """A change from its JSON."""
    change: DurableMessage = _decoders.get(kind, _upload_decoder).decode(text)
    return change


def encode(message: AnyMessage) -> str:
    """The JSON text of a message."""
    return _encoder.encode(message).decode()


# ── what a client sends ──────────────────────────────────────────────────────────────────────────


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`data_fields` are the fields that stand inside `data`; the others, and `also_top_level`, beside `type`."""

    data_fields: ClassVar[frozenset[str]] = frozenset()
    also_top_level: ClassVar[frozenset[str]] = frozenset()

    ref: Annotated[str, Meta(max_length=64)] | None = None

    @property
    def reply_type(self) -> str:
        return REPLY_TYPES[type(self)]

    def error_reply(self, fields: dict[str, str]) -> ErrorMessage:
        return error(fields, reply_type=self.reply_type, ref=self.ref)

    def reply(self, message: Message) -> Message:
        """The message as reply to this request."""
        return message if self.ref is None else msgspec.structs.replace(message, ref=self.ref)


class Subscribe(Request, frozen=True, kw_only=True):
    """Either key opts in to more than the specification has; without them nothing changes.

    `since` is the cursor of the last event that the client has.
    """

    since: Annotated[str, Meta(max_length=100)] | None = None
    stream: Stream | None = None


class Base64Text:
    """The base64 of an image as a part of its frame: hundreds of megabytes that nobody copies as a whole."""

    __slots__ = ("_end", "_frame", "_start")

    def __init__(self, frame: str, start: int = 0, end: int | None = None) -> None:
        self._frame, self._start = frame, start
        self._end = len(frame) if end is None else end

    def __len__(self) -> int:
        return self._end - self._start

    def __str__(self) -> str:
        return self._frame[self._start : self._end]

    def __repr__(self) -> str:
        return f"Base64Text({len(self)} characters)"

    def slice(self, position: int, size: int) -> str:
        """At most `size` characters from `position` on."""
        start = self._start + position
        return self._frame[start : min(start + size, self._end)]


class RequestWithReadOptions(Request, frozen=True, kw_only=True):
    """What may be asked of a reading. `pages` are “3”, “2-5”, “1-3,7,9-”."""

    engine: EngineName | None = None
    languages: Languages | None = None
    pages: str | None = None
    profile: EngineName | None = None
    priority: Priority | None = None

    def read_options(self) -> dict[str, Any]:
        """As keyword arguments of `read_options.ReadOptions`."""
        return {name: getattr(self, name) for name in READ_OPTION_FIELDS}


class Create(RequestWithReadOptions, frozen=True, kw_only=True):
    """`image_base64` is undecoded and unchecked."""

    data_fields = frozenset({"image_base64", "image_path", "image_hash"}) | READ_OPTION_FIELDS

    image_base64: str | Base64Text | None = None
    image_path: str | None = None
    image_hash: str | None = None


class ListUploads(Request, frozen=True, kw_only=True):
    """Without `limit`, all uploads in one message."""

    status: Status | None = None
    search: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    cursor: str | None = None

    def filters(self) -> dict[str, Any]:
        """As keyword arguments of `queries.uploads`."""
        return {"status": self.status, "search": self.search, "limit": self.limit, "cursor": self.cursor}


class Retrieve(Request, frozen=True, kw_only=True):
    instance_id: UUID


class Update(Request, frozen=True, kw_only=True):
    """UNSET leaves a field as it is; `processed_text=None` takes the correction back."""

    data_fields = frozenset({"filename", "processed_text", "metadata"})

    instance_id: UUID
    filename: FileName | UnsetType = UNSET
    processed_text: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class Delete(Request, frozen=True, kw_only=True):
    instance_id: UUID


class Cancel(Request, frozen=True, kw_only=True):
    instance_id: UUID


class Retry(RequestWithReadOptions, frozen=True, kw_only=True):
    """What is not asked anew stays as it was asked before."""

    data_fields = READ_OPTION_FIELDS
    also_top_level = READ_OPTION_FIELDS

    instance_id: UUID


class Resync(Request, frozen=True, kw_only=True):
    instance_id: UUID


class Authenticate(Request, frozen=True, kw_only=True):
    """A fresh token of the same user: from now on the socket's life is this token's."""

    token: str


class Ping(Request, frozen=True, kw_only=True):
    pass


REQUESTS: dict[str, type[Request]] = {
    "subscribe": Subscribe,
    "create": Create,
    "list": ListUploads,
    "retrieve": Retrieve,
    "update": Update,
    "delete": Delete,
    "cancel": Cancel,
    "retry": Retry,
    "resync": Resync,
    "authenticate": Authenticate,
    "ping": Ping,
}
REPLY_TYPES: dict[type[Request], str] = {
    Subscribe: "subscribed",
    Create: "Upload.created",
    ListUploads: "Upload.list",
    Retrieve: "Upload.status",
    Update: "Upload.updated",
    Delete: "Upload.deleted",
    Cancel: "Upload.status",
    Retry: "Upload.updated",
    Resync: "resynced",
    Authenticate: "authenticated",
    Ping: "pong",
}

KINDS_WITH_TEXTS = frozenset({"updated", "processed"})
TERMINAL_KINDS = frozenset({"deleted", "processed", "error", "cancelled"})
"""The changes that end a reading, if there is one."""

_encoder = msgspec.json.Encoder(uuid_format="canonical")
_failed_decoder = msgspec.json.Decoder(Failed)
_upload_decoder = msgspec.json.Decoder(UploadMessage)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    "processed": msgspec.json.Decoder(Processed),
    "error": _failed_decoder,
    "cancelled": _failed_decoder,
}
