"""List items: their markers, which may be drawn, and their nesting."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..documents.pdf_graphics import Graphics, Rect
from ..documents.styled_text import TextPiece
from ..layout.text_joining import CAPTION
from .lines import Line
from .numbering import Marker, list_item_marker

# In sizes.
MAX_DRAWN_BULLET, MIN_DRAWN_BULLET = 0.75, 0.12
"""Sides of the disc, circle or square that a browser draws as a bullet."""
MAX_BULLET_DISTANCE = 2.5
MAX_BULLET_ELONGATION = 1.5
NEST_TOLERANCE = 0.8
"""Starts of items of one depth differ by less: numbers may be right-aligned."""
MIN_TEXT_INDENT = 0.4
"""The text of an item starts so far behind its marker."""
DRAWN_BULLET = Marker("bullet", "")
WORD_BULLET = "o"
"""Bullet of the second depth in Word: a letter in a font of its own."""

NOTE_MARK = "*"
SMALL = 0.93
"""In sizes of running text: an asterisk before smaller text is the mark of a footnote."""


def line_marker(line: Line, bullets: Sequence[Rect], body_size: float) -> Marker | None:
    """Return the list marker of a line; one that is drawn has no text."""
    marker = list_item_marker(line.text)
    if marker and marker.text == WORD_BULLET and not _is_own_font(line.pieces):
        marker = None
    if marker and marker.text == NOTE_MARK and line.size < SMALL * body_size:
        return None
    if marker is None and not CAPTION.match(line.text):
        return DRAWN_BULLET if any(_is_bullet_of(bullet, line) for bullet in bullets) else None
    return marker


def drawn_bullets(graphics: Graphics, size: float) -> list[Rect]:
    """Return the small shapes, as high as wide, that may be bullets."""
    squares = (rule.rect for rule in graphics.rules)  # a small square is as thin as a line
    rects = [*graphics.shapes, *(fill.rect for fill in graphics.fills), *squares, *graphics.images]
    return [rect for rect in rects if _is_bullet_sized(rect, size)]


def _is_bullet_sized(rect: Rect, size: float) -> bool:
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    shorter, longer = sorted((width, height))
    is_sized = MIN_DRAWN_BULLET * size < shorter and longer < MAX_DRAWN_BULLET * size
    return is_sized and longer < MAX_BULLET_ELONGATION * shorter


def _is_bullet_of(bullet: Rect, line: Line) -> bool:
    """Return whether a shape stands before a line, in the middle of its height."""
    left, right = (-bullet[2], -bullet[0]) if line.is_from_right else (bullet[0], bullet[2])
    is_before = 0 < line.start - right < MAX_BULLET_DISTANCE * line.size and left < line.start
    center = (bullet[1] + bullet[3]) / 2
    return is_before and line.baseline - 0.7 * line.size < center < line.baseline + 0.05 * line.size


def _is_own_font(pieces: Sequence[TextPiece]) -> bool:
    return len(pieces) > 1 and pieces[0].style.font.name != pieces[1].style.font.name


def item_text_start(line: Line, marker: Marker) -> float:
    """Return where the text of an item starts, behind its marker."""
    rest = without_marker(line.pieces, marker.text)
    if not rest or len(rest) == len(line.pieces):
        return line.start
    return -rest[0].right if line.is_from_right else rest[0].left


def without_marker(pieces: Iterable[TextPiece], marker: str) -> list[TextPiece]:
    """Return an item's pieces without its marker, which may be the start of a piece."""
    rest = list(pieces)
    while marker and rest:
        first = rest[0]
        if len(first.text) <= len(marker):
            marker = marker[len(first.text) :].strip()
            del rest[0]
        else:
            rest[0] = replace(first, text=first.text[len(marker) :])
            marker = ""
    return rest


class Nesting:
    """Depths of the items of a column, by the starts of their markers."""

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._text_start = 0.0

    def depth(self, start: float, text_start: float, size: float) -> int:
        """Return the depth of the next item, from 0."""
        tolerance = NEST_TOLERANCE * size
        while self._starts and self._starts[-1] > start + tolerance:
            self._starts.pop()
        if not self._starts or start > self._starts[-1] + tolerance:
            self._starts.append(start)
        self._text_start = text_start
        return len(self._starts) - 1

    def holds(self, start: float, size: float) -> bool:
        """Return whether a paragraph that starts there belongs to the item above it."""
        if not self._starts or start < self._starts[0] + MIN_TEXT_INDENT * size:
            return False
        return abs(start - self._text_start) < NEST_TOLERANCE * size

    def end(self) -> None:
        """End the list: something else follows."""
        self._starts.clear()

    @property
    def count(self) -> int:
        return len(self._starts)
