"""Messages of the WebSocket API as types; pure: no Django, no sockets, no database.

Each message from the server is a struct of this module. `encode(message)` is its JSON, with exactly the keys
of the specification. Messages with more keys go only to connections that opted in by `subscribe` with `since`
or `stream`. `parsing.parse_request(frame)` returns one of the requests below. A reply repeats the `ref` of
its request.

`docs/generate/descriptions.py` has the meaning of each field.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .base64_text import Base64Text
from .field_types import (
    EngineName,
    FileName,
    Formulas,
    Furniture,
    Languages,
    ListOrder,
    MetadataKey,
    OnDuplicate,
    Priority,
    Share,
    Status,
    StreamName,
    Time,
)

Point = tuple[int, int]

# ── messages from the server ──────────────────────────────────────────────────────────────────────


class UploadWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A warning about a page of an upload, without its places."""

    code: str
    page: int
    message: str


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An upload as clients see it. `created`, `deleted` and `list` omit its two texts."""

    id: UUID
    owner: str
    filename: str
    image_path: str
    image_hash: str
    content_type: str
    bytes: int
    status: Status
    error: str | None
    # Events of earlier versions lack it.
    error_code: str | None = None
    page_count: int | None
    pages_done: int
    engine: str
    languages: list[str]
    metadata: dict[str, Any]
    warnings: list[str]
    created_at: dt.datetime
    updated_at: dt.datetime
    # Events of earlier versions lack these.
    reading: int = 1
    confidence: float | None = None
    uncertain_share: float | None = None
    page_warnings: list[UploadWarning] | UnsetType = UNSET
    raw_text: str | UnsetType = UNSET
    processed_text: str | UnsetType = UNSET


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of messages that may be the reply to a request."""

    ref: str | UnsetType = UNSET


class Subscribed(Message, frozen=True, kw_only=True):
    """Reply to `subscribe`.

    With `stream` or `since`, it has `type` and `cursor`, and every event after `cursor` follows. With
    `since`, it has `recovered`: if false, a list of all uploads follows first.
    """

    message: Literal["subscribed"] = "subscribed"
    model: Literal["Upload"] = "Upload"
    instance_id: str | None
    type: Literal["subscribed"] | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    recovered: bool | UnsetType = UNSET


class Resynced(Message, frozen=True, kw_only=True):
    """Reply to `resync`. The upload's live text so far follows."""

    type: Literal["resynced"] = "resynced"
    instance_id: UUID


class Authenticated(Message, frozen=True, kw_only=True):
    """Reply to `authenticate`. The connection stays open until the new token expires."""

    type: Literal["authenticated"] = "authenticated"


class Pong(Message, frozen=True, kw_only=True):
    """Reply to `ping`."""

    type: Literal["pong"] = "pong"


class UploadMessage(Message, frozen=True, kw_only=True):
    """`Upload.created`, `Upload.updated`, `Upload.deleted` or `Upload.status`.

    `Upload.status` with an instance is the reply to `retrieve`, and the event of a reading that has begun or
    ended.
    """

    type: str
    instance: Instance
    duplicate: bool | UnsetType = UNSET


Instances = list[Instance]
"""The field `list` hides the type `list`."""


class ListMessage(Message, frozen=True, kw_only=True):
    """Reply to `list`. `next` is present if the request had `limit`; null on the last page.

    `total` is present if the request asked for it.
    """

    type: Literal["Upload.list"] = "Upload.list"
    list: Instances
    next: str | UnsetType | None = UNSET
    total: int | UnsetType = UNSET


class ErrorMessage(Message, frozen=True, kw_only=True):
    """Reply to a request that failed: one message per wrong field. Nothing was changed.

    Connections that opted in also get the code of the error, and whether the request can succeed later.
    """

    type: str
    error: dict[str, str]
    code: str | UnsetType = UNSET
    retryable: bool | UnsetType = UNSET


class Partial(msgspec.Struct, frozen=True, kw_only=True):
    """Live text in the stream mode `full`: the whole text so far. The first one is empty."""

    id: UUID
    status: Literal["processing"] = "processing"
    streamed_text: str
    type: Literal["Upload.status"] = "Upload.status"


class LinePosition(msgspec.Struct, frozen=True):
    """Bounding box of the newest line: corners clockwise from the top left, in pixels of the upright page."""

    box: tuple[Point, Point, Point, Point]
    width: int
    height: int


class PagePartial(msgspec.Struct, frozen=True, kw_only=True):
    """Live text in the stream mode `pages`: the text so far of one page; its final Markdown if `done`."""

    id: UUID
    status: Literal["processing"] = "processing"
    type: Literal["Upload.status"] = "Upload.status"
    page: int
    page_count: int | None
    streamed_text: str
    line: LinePosition | None
    done: Literal[True] | UnsetType = UNSET


class DeltaPartial(PagePartial, frozen=True, kw_only=True):
    """Live text in the stream mode `delta`: text to append to the page's first `offset` code points."""

    offset: int


class Processed(msgspec.Struct, frozen=True, kw_only=True):
    """Last message of a successful reading, with both texts."""

    id: UUID
    status: Literal["processed"] = "processed"
    raw_text: str
    processed_text: str
    type: Literal["Upload.status"] = "Upload.status"


class Failed(Message, frozen=True, kw_only=True):
    """Last message of a reading that failed or was cancelled; also the reply to `cancel`."""

    id: UUID
    status: Literal["error", "cancelled"]
    type: Literal["Upload.status"] = "Upload.status"
    error: str


def error(fields: dict[str, str], *, reply_type: str = "error", ref: str | None = None) -> ErrorMessage:
    """Make the reply to a request that failed."""
    return ErrorMessage(type=reply_type, error=fields, ref=UNSET if ref is None else ref)


DurableMessage = UploadMessage | Processed | Failed
"""A committed change of an upload; the event log stores it."""
LiveText = Partial | PagePartial | DeltaPartial
AnyMessage = Message | Processed | LiveText


def encode(message: AnyMessage) -> str:
    """Encode a message as JSON."""
    return _encoder.encode(message).decode()


def encode_instance(instance: Instance) -> bytes:
    """Encode an upload as JSON, as a part of a list."""
    return _encoder.encode(instance)


# ── requests from clients ────────────────────────────────────────────────────────────────────────


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of requests.

    `data_fields` are the fields inside `data`. All other fields, and `also_top_level`, are beside `type`.
    """

    data_fields: ClassVar[frozenset[str]] = frozenset()
    also_top_level: ClassVar[frozenset[str]] = frozenset()

    ref: Annotated[str, Meta(max_length=64)] | None = None

    def error_reply(self, fields: dict[str, str]) -> ErrorMessage:
        """Make the reply to this request after an error."""
        return error(fields, reply_type=REPLY_TYPES[type(self)], ref=self.ref)

    def reply(self, message: Message) -> Message:
        """Return the message with the `ref` of this request."""
        return message if self.ref is None else msgspec.structs.replace(message, ref=self.ref)


class Subscribe(Request, frozen=True, kw_only=True):
    """Opt-in to cursors and replay (`since`) or to a stream mode (`stream`); without them nothing changes.

    `since` is the cursor of the last event that the client has.
    """

    since: Annotated[str, Meta(max_length=100)] | None = None
    stream: StreamName | None = None


class RequestWithReadOptions(Request, frozen=True, kw_only=True):
    """Base class of requests with read options. `pages` is a page range: “3”, “2-5” or “1-3,7,9-”."""

    engine: EngineName | None = None
    languages: Languages | None = None
    pages: str | None = None
    profile: EngineName | None = None
    furniture: Furniture | None = None
    formulas: Formulas | None = None
    barcodes: bool | None = None
    priority: Priority | None = None

    def read_options(self) -> dict[str, Any]:
        """Return the keyword arguments of `jobs.options.ReadOptions`."""
        return {name: getattr(self, name) for name in READ_OPTION_FIELDS}


READ_OPTION_FIELDS = frozenset(RequestWithReadOptions.__struct_fields__) - {"ref"}


class Create(RequestWithReadOptions, frozen=True, kw_only=True):
    """Request to store and read a file. `image_base64` is neither decoded nor checked yet."""

    data_fields = (
        frozenset({"image_base64", "image_path", "image_hash", "filename", "metadata", "on_duplicate"})
        | READ_OPTION_FIELDS
    )

    image_base64: str | Base64Text | None = None
    image_path: str | None = None
    image_hash: str | None = None
    filename: FileName | None = None
    metadata: dict[str, Any] | None = None
    on_duplicate: OnDuplicate | None = None


class ListUploads(Request, frozen=True, kw_only=True):
    """Request for the user's uploads. Without `limit`, one message has all of them."""

    status: Status | Annotated[list[Status], Meta(min_length=1, max_length=5)] | None = None
    search: Annotated[str, Meta(max_length=200)] | None = None
    engine: EngineName | None = None
    image_hash: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$")] | None = None
    created_after: Time | None = None
    created_before: Time | None = None
    metadata: Annotated[dict[MetadataKey, str], Meta(max_length=5)] | None = None
    sort: ListOrder | None = None
    total: bool | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    cursor: str | None = None
    warning: Annotated[str, Meta(min_length=1, max_length=50, pattern=r"^\S+$")] | None = None
    min_confidence: Share | None = None
    max_confidence: Share | None = None

    def filters(self) -> dict[str, Any]:
        """Return the keyword arguments of `listing.uploads`."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "ref"}


class Retrieve(Request, frozen=True, kw_only=True):
    """Request for one upload with its texts."""

    instance_id: UUID


class Update(Request, frozen=True, kw_only=True):
    """Request to change an upload. UNSET keeps a field; `processed_text=None` removes the correction."""

    data_fields = frozenset({"filename", "processed_text", "metadata"})

    instance_id: UUID
    filename: FileName | UnsetType = UNSET
    processed_text: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class Delete(Request, frozen=True, kw_only=True):
    """Request to delete an upload and its file."""

    instance_id: UUID


class Cancel(Request, frozen=True, kw_only=True):
    """Request to cancel a waiting job or a reading."""

    instance_id: UUID


class Retry(RequestWithReadOptions, frozen=True, kw_only=True):
    """Request to read an upload again. Read options that it omits stay as they were."""

    data_fields = READ_OPTION_FIELDS
    also_top_level = READ_OPTION_FIELDS

    instance_id: UUID


class Resync(Request, frozen=True, kw_only=True):
    """Request for the live text of an upload from the start."""

    instance_id: UUID


class Authenticate(Request, frozen=True, kw_only=True):
    """Request with a fresh token of the same user; the connection then lives until that token expires."""

    token: str


class Ping(Request, frozen=True, kw_only=True):
    """Request for a `pong`, to keep a connection open or to test it."""


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

_encoder = msgspec.json.Encoder(uuid_format="canonical")
