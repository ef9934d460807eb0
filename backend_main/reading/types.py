"""Events of a read, and the options of a read."""

from typing import Final, Literal

import msgspec

from ..control_characters import remove_controls
from .warning_codes import WarningCode

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Four corners (x, y), clockwise from the top left of the text, in pixels of the upright page image."""

SCHEMA_VERSION: Final = 1
"""Version of the JSON of a page. It grows when a field changes its meaning, not when one is added."""
LineRole = Literal["body", "header", "footer", "page_number", "margin", "watermark", "line_number"]
"""Part of the page that a line belongs to. Every role but `body` is page furniture."""
FurnitureOption = Literal["drop", "keep"]
"""Whether the text of a page leaves page furniture out, or contains it."""
FormulaOption = Literal["text", "vision"]
"""Whether the engine `vision` may read pages that are mostly formulas."""
FORMULA_ENGINE: Final = "vision"


def level_box(left: float, top: float, right: float, bottom: float) -> Box:
    """Return the box of a level line."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _remove_controls(struct: msgspec.Struct, *fields: str) -> None:
    """Remove control characters from new texts, whichever engine they are from."""
    for field in fields:
        text = getattr(struct, field)
        if not text.isprintable():
            msgspec.structs.force_setattr(struct, field, remove_controls(text))


class PageStarted(msgspec.Struct, frozen=True, tag=True):
    """Start of a page. Both sizes are 0 if the page could not be decoded."""

    number: int
    """Page number, from 1."""
    page_count: int
    """Number of pages of the document."""
    width: int
    """Width of the page image in pixels."""
    height: int
    """Height of the page image in pixels."""


class Word(msgspec.Struct, frozen=True):
    """A word of a line; of Chinese and Japanese, a character."""

    text: str
    """Text of the word, without white space."""
    box: Box | None
    """Corners of the word, in steps of a tenth of a pixel; None from an engine without boxes of words."""
    confidence: float | None
    """Confidence from 0 to 1, in steps of 0.01; None from an engine without confidences."""
    start: int
    """Place of the word in the text of its line, in code points."""


class Line(msgspec.Struct, frozen=True, tag=True):
    """A recognized piece of text: a line, a part of a line, or a token of an engine that streams tokens."""

    page: int
    """Page number, from 1."""
    text: str
    """Recognized text, without markup."""
    markdown: str
    """Escaped text, after the separator from the piece before it. The pieces joined are the page so far.

    Empty for page furniture that the text leaves out.
    """
    box: Box | None = None
    """Corners of the text; None from an engine without boxes."""
    confidence: float | None = None
    """Confidence of the engine, from 0 to 1; None from an engine without confidences."""
    role: LineRole = "body"
    """Part of the page, known once the page is finished: a line that streams is `body`."""
    span: tuple[int, int] | None = None
    """Start and end of the line in the Markdown of its finished page, in code points; None: not in it."""
    words: tuple[Word, ...] = ()
    """Words in the order of `text`; empty from an engine without words."""

    def __post_init__(self) -> None:
        text = self.text
        _remove_controls(self, "text", "markdown")
        if self.words and self.text != text:  # their places would be wrong
            msgspec.structs.force_setattr(self, "words", ())


class LinesRead(msgspec.Struct, frozen=True, tag=True):
    """Batch of lines of one page that were recognized shortly after each other."""

    lines: tuple[Line, ...]
    """At least one line, in the order of the page."""


BlockType = Literal[
    "heading",
    "paragraph",
    "list_item",
    "table",
    "figure",
    "caption",
    "formula",
    "code",
    "quote",
    "footnote",
    "page_header",
    "page_footer",
    "page_number",
    "other_furniture",
    "barcode",
]
"""Kind of a block. `other_furniture`: text of a margin, a watermark, numbers of lines."""


class TableCell(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cell of a table; one that spans rows or columns stands at its first ones."""

    row: int
    """Row, from 0."""
    column: int
    """Column, from 0."""
    row_span: int = 1
    """Number of rows."""
    column_span: int = 1
    """Number of columns."""
    text: str = ""
    """Plain text."""
    is_header: bool = False
    """Whether the cell is a head of rows or columns."""
    box: Box | None = None
    """Rectangle around its lines; None: it has none with a box."""
    lines: tuple[int, ...] = ()
    """Indices of its lines in `PageDone.lines`."""


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """Part of a finished page, in reading order: a heading, a paragraph, a table."""

    type: BlockType
    """Kind of the block."""
    box: Box | None = None
    """Rectangle around its lines, or that of the picture of a figure; None: not known."""
    span: tuple[int, int] | None = None
    """Start and end of its Markdown in `PageDone.markdown`, in code points; None: not in it."""
    lines: tuple[int, ...] = ()
    """Indices of its lines in `PageDone.lines`, in the order of the block."""
    text: str = ""
    """Plain text: of a list item without its marker, of a figure its caption."""
    level: int | None = None
    """Level of a heading from 1 to 6, or depth of a list item from 0."""
    marker: str | None = None
    """Marker of a list item: `-`, or its number, such as `1.`."""
    is_checked: bool | None = None
    """Whether the check box before the text is ticked; None: no check box."""
    rows: int | None = None
    """Number of rows of a table."""
    columns: int | None = None
    """Number of columns of a table."""
    cells: tuple[TableCell, ...] = ()
    """Cells of a table by rows, those without text too."""
    value: str | None = None
    """Content of a barcode."""
    format: str | None = None
    """Symbology of a barcode, such as `QRCode`."""


class PageWarning(msgspec.Struct, frozen=True):
    """Message about text of a page that is missing or uncertain. `str()` of it is the message."""

    code: str
    """Code for programs: one of `WarningCode`, or one of an engine from elsewhere."""
    message: str
    """Sentence for the reader of the page."""
    boxes: tuple[Box, ...] = ()
    """Places that the warning is about, as the box of a line; empty: the whole page, or not known."""
    share: float | None = None
    """Share of the page's print that the warning is about, from 0 to 1; None if it is not known."""

    def __post_init__(self) -> None:
        _remove_controls(self, "message")

    def __str__(self) -> str:
        return self.message


def to_page_warning(warning: PageWarning | str) -> PageWarning:
    """Return a warning of an engine, which may be a sentence alone, as a `PageWarning`."""
    return warning if isinstance(warning, PageWarning) else PageWarning(WarningCode.UNSPECIFIED, warning)


class PageDone(msgspec.Struct, frozen=True, tag=True):
    """End of a page, with its final text. The page's layout decides it, so it can differ from the `Line`s."""

    number: int
    """Page number, from 1."""
    page_count: int
    """Number of pages of the document."""
    width: int
    """Width of the page image in pixels."""
    height: int
    """Height of the page image in pixels."""
    markdown: str
    """Markdown of the page."""
    text: str
    """Plain text of the page: no markup, one line for each paragraph."""
    lines: list[Line]
    """Recognized lines with text."""
    warnings: list[PageWarning]
    """Warnings about text that is missing or uncertain."""
    blocks: list[Block] = []
    """Blocks in reading order, page furniture among them."""


ReadEvent = PageStarted | Line | PageDone
"""Event of `read`."""
BatchedEvent = PageStarted | LinesRead | PageDone
"""Event of `EngineProcess.read_batched`."""


class Options(msgspec.Struct, frozen=True):
    """Options of one read."""

    engine: str = "rapid"
    """Name of the engine."""
    first_page: int = 1
    """First page to read, from 1."""
    last_page: int | None = None
    """Last page to read; None: to the end."""
    threads: int = 0
    """Number of threads; 0: one for each core."""
    max_pixels: int = 200_000_000
    """Maximum number of pixels of a page."""
    max_pages: int = 5000
    """Maximum number of pages of a document."""
    page_seconds: float = 120.0
    """Time limit of a page in seconds. Enforced by `EngineProcess`, and by engines that use a network."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the expected languages; empty: the engine's default."""
    profile: str = ""
    """Profile of the engine; empty: its default."""
    pages: str = ""
    """Page numbers and ranges, such as `1-3,7,9-`; empty: every page."""
    furniture: FurnitureOption = "drop"
    """`drop`: headers, footers, page numbers and the like are not in the text. `keep`: they are."""
    formulas: FormulaOption = "text"
    """`vision`: the engine `vision` reads pages that are mostly formulas. `text`: no page is sent to it."""
    barcodes: bool = False
    """Whether the blocks of a page contain its barcodes. They are not in its text."""
