"""Messages of the two APIs as types; pure. `decode` reads a frame, `encode` writes one."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import msgspec

from .errors import UnexpectedResponse

Status = Literal["pending", "processing", "processed", "error", "cancelled"]
Stream = Literal["full", "pages", "delta"]
"""Form of live text: the whole text each time, one page each time, or the characters added to a page."""
Priority = Literal["interactive", "batch"]
Furniture = Literal["drop", "keep"]
ExportFormat = Literal["md", "txt", "json", "html", "docx", "hocr", "alto", "csv", "xlsx", "pdf"]
Images = Literal["none", "link", "embed"]
Formulas = Literal["text", "vision"]
OnDuplicate = Literal["existing", "reread", "error"]
LineRole = Literal["body", "header", "footer", "page_number", "margin", "watermark", "line_number"]
"""Part of the page that a line belongs to. Every role but “body” is page furniture."""
Json = dict[str, Any]
Point = tuple[float, float]
Span = tuple[int, int]
"""Start and end in a text, in code points."""


TERMINAL_STATUSES: tuple[Status, ...] = ("processed", "error", "cancelled")
"""Statuses that only a client changes: by a retry, a correction or a delete."""


class UploadWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A warning about a page of an upload. `Page.warnings` has its places."""

    code: str
    page: int
    message: str


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An upload. `raw_text` and `processed_text` are None in lists and in replies to a new upload.

    error_code        kind of `error` for programs, such as “unreadable_file”, or None
    reading           number of the current reading
    confidence        mean confidence of the letters, from 0 to 1, or None
    uncertain_share   share of the words that the engine is not sure of, or None
    page_warnings     warnings of the pages, with codes; `retrieve` over REST has them, otherwise None
    """

    id: str
    owner: str
    filename: str
    image_path: str
    image_hash: str
    content_type: str
    bytes: int
    status: Status
    error: str | None
    error_code: str | None = None
    page_count: int | None
    pages_done: int
    engine: str
    languages: tuple[str, ...]
    metadata: Json
    warnings: tuple[str, ...]
    created_at: dt.datetime
    updated_at: dt.datetime
    reading: int = 1
    confidence: float | None = None
    uncertain_share: float | None = None
    page_warnings: tuple[UploadWarning, ...] | None = None
    raw_text: str | None = None
    processed_text: str | None = None

    @property
    def is_terminal(self) -> bool:
        """True if the reading is over: `processed`, `error` or `cancelled`."""
        return self.status in TERMINAL_STATUSES


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list of uploads, newest first. `next` is the cursor of the next page, or None."""

    uploads: tuple[Instance, ...] = msgspec.field(name="list")
    next: str | None = None
    total: int | None = None


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a line; of Chinese and Japanese, a character.

    text         text of the word, at `start` in the text of its line, in code points
    box          four corners, clockwise from the upper left of the text; None from an engine without boxes
    confidence   confidence from 0 to 1, or None
    """

    text: str
    box: tuple[Point, Point, Point, Point] | None
    confidence: float | None
    start: int


class PageLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line.

    box    four corners, clockwise from the top left, in pixels of the upright page
    span   start and end in `Page.markdown`; None: it is not in it
    words  words, if the page was fetched with them, and the engine has words
    """

    text: str
    markdown: str
    box: tuple[Point, Point, Point, Point] | None = None
    confidence: float | None = None
    role: LineRole = "body"
    span: Span | None = None
    words: tuple[Word, ...] = ()


class TableCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of a table; `row` and `column` are from 0, `lines` are indices in `Page.lines`."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    text: str = ""
    is_header: bool = False
    box: tuple[Point, Point, Point, Point] | None = None
    lines: tuple[int, ...] = ()


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a page, in reading order: a heading, a paragraph, a table.

    type                   such as `heading` or `table`; the server's reference lists them
    box                    rectangle around its lines, or that of a picture
    span                   start and end in `Page.markdown`; None: it is left out, as page furniture is
    lines                  indices in `Page.lines`
    text                   plain text: of a list item without its marker, of a figure its caption
    level                  level of a heading from 1, or depth of a list item from 0
    marker                 marker of a list item
    is_checked             state of the check box before the text; None: there is none
    rows, columns, cells   of a table
    value, format          content and symbology of a barcode
    """

    type: str
    box: tuple[Point, Point, Point, Point] | None = None
    span: Span | None = None
    lines: tuple[int, ...] = ()
    text: str = ""
    level: int | None = None
    marker: str | None = None
    is_checked: bool | None = None
    rows: int | None = None
    columns: int | None = None
    cells: tuple[TableCell, ...] = ()
    value: str | None = None
    format: str | None = None


class PageWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A warning about text of a page that is missing or uncertain. `str()` of it is the message.

    code      code for programs; the server's reference has the table
    message   sentence for people
    boxes     places on the page, as the box of a line; empty for the whole page, or where it is not known
    share     share of the page's print, from 0 to 1, or None
    """

    code: str
    message: str
    boxes: tuple[tuple[Point, Point, Point, Point], ...] = ()
    share: float | None = None

    def __str__(self) -> str:
        return self.message


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page; width and height are in pixels. A server of an earlier version sends no blocks.

    confidence, uncertain_share   as those of `Instance`
    correction                    a person's text in place of `text`, or None
    """

    number: int
    width: int
    height: int
    markdown: str
    text: str
    lines: tuple[PageLine, ...]
    warnings: tuple[PageWarning, ...]
    confidence: float | None = None
    uncertain_share: float | None = None
    correction: str | None = None
    corrected_by: str | None = None
    corrected_at: dt.datetime | None = None
    blocks: tuple[Block, ...] = ()


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The user of the token, and limits of the server. `max_upload_bytes` is 0 where there is no limit."""

    username: str
    max_upload_bytes: int
    version: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in of the user that has not ended.

    address, user_agent   of the program that signed in, or last used the session
    current               True if the token of this client belongs to it
    """

    id: str
    created_at: dt.datetime
    last_used_at: dt.datetime
    address: str
    user_agent: str
    current: bool


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of the user, the last used first."""

    sessions: tuple[Session, ...]


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """An OCR engine that the server knows.

    name                 value of the option `engine`
    installed            True if the server can use it
    unavailable_reason   why the server cannot use it; None where it can
    languages            ISO 639-1 codes; empty where the engine accepts any, or the server does not know
    profiles             values of the option `profile`
    streams_tokens       True if live text grows within a line, token by token
    provides_boxes       True if lines have boxes and confidences
    provides_words       True if lines have words with boxes
    is_remote            True if the engine sends pages to another machine
    is_test_engine       True if the engine is for tests only
    """

    name: str
    installed: bool
    unavailable_reason: str | None
    languages: tuple[str, ...]
    profiles: tuple[str, ...]
    streams_tokens: bool
    provides_boxes: bool
    provides_words: bool = False
    is_remote: bool
    is_test_engine: bool


class Engines(msgspec.Struct, frozen=True, kw_only=True):
    """The known engines. `default` reads uploads that select neither an engine nor a language."""

    engines: tuple[Engine, ...]
    default: str


class LinePosition(msgspec.Struct, frozen=True, kw_only=True):
    """Position of a line on its page. `box` is in pixels of a page of this width and height."""

    box: tuple[Point, Point, Point, Point]
    width: int
    height: int


class ServerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Any message from the WebSocket; its fields tell its kind. Unknown fields are ignored."""

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
    total: int | None = None
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
        """True if the message acknowledges a subscription."""
        return self.message == "subscribed"

    @property
    def is_partial(self) -> bool:
        """True if the message carries live text."""
        return self.streamed_text is not None and self.id is not None

    @property
    def error_fields(self) -> dict[str, str] | None:
        """Errors of a rejected request, by field; None for any other message."""
        return self.error if isinstance(self.error, dict) else None


def decode(frame: bytes) -> ServerMessage:
    """Decode a frame of the WebSocket.

    Raises:
        UnexpectedResponse: The frame is not a message of scanrill. No other error is raised.
    """
    try:
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UnexpectedResponse(
            "The server sent a message that this client cannot decode. Check the URL and both versions."
        ) from None


def encode(message: Json) -> bytes:
    """Encode a message as JSON."""
    return msgspec.json.encode(message)


_decoder = msgspec.json.Decoder(ServerMessage)
