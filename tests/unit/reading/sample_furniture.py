"""Pages for tests of furniture: rows of texts at given heights, on a page of 1000 × 1400 pixels."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from backend_main.reading.documents.styled_text import FontStyle, TextStyle
from backend_main.reading.layout.document_furniture import find_furniture
from backend_main.reading.layout.furniture_page import FurniturePage, Roles, oblique_heights
from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.types import Box, level_box

WIDTH, HEIGHT = 1000, 1400
LINE_HEIGHT, LINE_DISTANCE = 20.0, 26.0
BODY_TOP, BODY_BOTTOM = 160.0, 1240.0
LEFT, RIGHT = 100.0, 900.0
LETTER_WIDTH = 10.0
BODY_STYLE = TextStyle(FontStyle("Serif"), 20.0)
SMALL_STYLE = TextStyle(FontStyle("Serif"), 14.0)
ITALIC_STYLE = TextStyle(FontStyle("Serif-Italic", is_italic=True), 20.0)

Piece = tuple[float, float, str] | tuple[float, float, str, float]
"""Left, center of height, text, and perhaps the height of a line."""

WORDS = [
    "river",
    "stone",
    "winter",
    "garden",
    "letter",
    "market",
    "window",
    "orchard",
    "copper",
    "velvet",
    "lantern",
    "harbor",
    "meadow",
    "signal",
    "timber",
    "marble",
    "canyon",
    "thunder",
    "ribbon",
    "pebble",
]


def prose(seed: int, top: float = BODY_TOP, bottom: float = BODY_BOTTOM) -> list[Piece]:
    """Return full lines of running text that differ from page to page."""
    rows: list[Piece] = []
    y = top
    while y < bottom:
        start = 7 * seed + 3 * len(rows)
        words = [WORDS[(start + step * (seed + 2)) % len(WORDS)] for step in range(11)]
        rows.append((LEFT, y, " ".join(words)))
        y += LINE_DISTANCE
    return rows


def box_of(piece: Piece) -> Box:
    left, center, text, *rest = piece
    height = rest[0] if rest else LINE_HEIGHT
    width = min(LETTER_WIDTH * height / LINE_HEIGHT * len(text), RIGHT - left + 80)
    return level_box(left, center - height / 2, left + width, center + height / 2)


def page_of(number: int, pieces: Iterable[Piece], extra: Sequence[tuple[Box, str]] = ()) -> FurniturePage:
    """Build a page; `extra` are boxes of any shape with their texts."""
    listed = list(pieces)
    quads = [*map(box_of, listed), *(quad for quad, _ in extra)]
    texts = [*(piece[2] for piece in listed), *(text for _, text in extra)]
    frame = PageFrame.from_boxes(quads)
    edges = frame.bounds(WIDTH, HEIGHT)
    return FurniturePage(number, edges, frame.layout_boxes(quads), texts, oblique_heights(frame, quads))


def roles_of_document(pages: Sequence[FurniturePage]) -> dict[int, Roles]:
    """Return the roles of the page furniture of several pages, by the number of the page."""
    return {page.number: find_furniture(page, pages) for page in pages}


def roles_by_text(page: FurniturePage, roles: Roles) -> dict[str, str]:
    """Return the roles of a page by the text of the box."""
    return {page.texts[index]: role for index, role in roles.items()}


def styled_page_of(
    number: int, pieces: Iterable[Piece], styles: dict[str, TextStyle] | None = None
) -> FurniturePage:
    """Build a page of a text layer; `styles` are those of texts that differ from the body."""
    page = page_of(number, pieces)
    return replace(page, styles=[(styles or {}).get(text, BODY_STYLE) for text in page.texts])
