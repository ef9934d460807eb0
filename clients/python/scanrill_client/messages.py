"""The messages of the two APIs, as types; pure. `decode` is the only way in, `encode` the only way out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import msgspec

from .errors import UnexpectedResponse

Status = Literal["pending", "processing", "processed", "error", "cancelled"]
Stream = Literal["full", "pages", "delta"]
"""How live text comes: all of it each time, each page by itself, or what was added to a page."""
Priority = Literal["interactive", "batch"]
Json = dict[str, Any]
Point = tuple[float, float]


class ReadOptions(TypedDict, total=False):
    """How a file is to be read; what is left out, or None, is left to the server.

    engine      one of those that `engines()` lists
    languages   ISO 639-1 codes; without an engine they choose one
    pages       “3”, “2-5”, “1-3,7,9-”
    profile     one of the engine's
    priority    “batch” where nobody waits for it: read when nothing else is to be
    """

    engine: str | None
    languages: Sequence[str] | None
    pages: str | None
    profile: str | None
    priority: Priority | None


ENDED = ("processed", "error", "cancelled")
"""Nothing more happens to an upload of such a status by itself."""


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An upload. The two texts are None where the server does not tell them: in lists and new uploads."""

    id: str
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
    languages: tuple[str, ...]
    metadata: Json
    warnings: tuple[str, ...]
    created_at: dt.datetime
    updated_at: dt.datetime
    raw_text: str | None = None
    processed_text: str | None = None

    @property
    def is_terminal(self) -> bool:
        return self.status in ENDED


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """UploadStore, newest first. `next` is the `cursor` of the next page, None on the last."""

    uploads: tuple[Instance, ...] = msgspec.field(name="list")
    next: str | None = None


class PageLine(msgspec.Struct, frozen=True, kw_only=True):
    """`box` has four corners, clockwise from the top left, in pixels of the upright page."""

    text: str
    markdown: str
    box: tuple[Point, Point, Point, Point] | None = None
    confidence: float | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page; width and height are in pixels."""

    number: int
    width: int
    height: int
    markdown: str
    text: str
    lines: tuple[PageLine, ...]
    warnings: tuple[str, ...]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose the token is, and what the server allows; `max_upload_bytes` 0 is unlimited."""

    username: str
    max_upload_bytes: int
    version: str


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What can read. `lacking` says in a sentence why one is not installed; no languages are any."""

    name: str
    installed: bool
    lacking: str
    languages: tuple[str, ...]
    profiles: tuple[str, ...]
    streams_tokens: bool
    gives_boxes: bool
    sends_pages_away: bool


class Engines(msgspec.Struct, frozen=True, kw_only=True):
    """`default` reads where nobody asks for one."""

    engines: tuple[Engine, ...]
    default: str


class LinePosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where on its page a line stands; the page's size is in the same pixels."""

    box: tuple[Point, Point, Point, Point]
    width: int
    height: int


class ServerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Any message of the socket: which fields are there says what it is. What is unknown is left out."""

    type: str | None = None
    ref: str | None = None
    message: str | None = None
    cursor: str | None = None
    recovered: bool | None = None
    error: str | dict[str, str] | None = None
    instance: Instance | None = None
    duplicate: bool = False
    uploads: tuple[Instance, ...] | None = msgspec.field(name="list", default=None)
    next: str | None = None
    id: str | None = None
    status: str | None = None
    raw_text: str | None = None
    processed_text: str | None = None
    streamed_text: str | None = None
    page: int | None = None
    page_count: int | None = None
    offset: int | None = None
    line: LinePosition | None = None
    done: bool = False

    @property
    def is_acknowledgement(self) -> bool:
        return self.message == "subscribed"

    @property
    def is_partial(self) -> bool:
        return self.streamed_text is not None and self.id is not None

    @property
    def refusal(self) -> dict[str, str] | None:
        """What is wrong with the request that this answers; None where it is no refusal."""
        return self.error if isinstance(self.error, dict) else None


def decode(frame: bytes) -> ServerMessage:
    """Raises `UnexpectedResponse`, and nothing else."""
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UnexpectedResponse("The server sends what this client does not understand.") from None


def encode(message: Json) -> bytes:
    return msgspec.json.encode(message)


_decoder = msgspec.json.Decoder(ServerMessage)
