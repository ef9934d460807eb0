"""Ink like text that no line of a page covers: read again in other ways, or named in a warning.

The rows of `ink_account.py` and the lines whose text was dropped are put on a sheet: enlarged, upright, dark
on light and with full contrast. The engine reads it in all directions that the shape of a place allows.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .confidence import length_in_heights
from .documents.document import PageImage
from .engines import Engine
from .ink_account import InkAccount
from .line_sheet import LineSheet
from .output.escaping import escape
from .script_readings import lines_of
from .types import Box, Line, PageWarning
from .warning_codes import WarningCode

MAX_PLACES = 40
"""Places of a page that are read again, which takes at most about as long as the page."""
MAX_UNSURE_LINES = 12
"""Lines without certain text up to which the engine reads them again. If more, it lacks their script."""
MIN_DROPPED_HEIGHTS = 2.5
"""Length in heights from which a line without text is print for certain; a shorter one can be a mark."""
MIN_SURE_LETTERS = 12
"""Shapes of a row that is text, even if the engine finds no line in it."""
MIN_WORD_LETTERS = 6
"""Shapes of a row that is text even in a drawing; circles of a diagram can be read as “oo”."""
MIN_CONFIDENCE, MIN_SHORT_CONFIDENCE, SHORT_TEXT = 0.8, 0.9, 2
"""Confidence of a line of the sheet, and of one with as few letters or of one that is read already.

Text that is not on the page has up to 0.7.
"""
MIN_CERTAIN_CONFIDENCE = 0.75
"""Confidence of a line of that length below which its text is not certain.

Three lines of 73 pages have less: a signature, a formula, and headings of columns on a slant.
"""
MIN_SEEN_SHARE = 0.6
"""Share of the length of a row for which the engine has some text, from which the row is text.

The engine has none for dirt, hatching and drawings: its confidence is 0.43 and less, and 0.53 and more for
signatures.
"""
MIN_TEXT_SHARE = 0.5
"""Letters of a text by the shapes of its row, below which the text is not what is printed."""
MAX_SQUARE_RATIO = 1.5
"""Length by height up to which a place can have lines in either direction."""


@dataclass
class Place:
    """Place on a page that may have unread text.

    box: its corners.
    letters: least number of its letters; 0 if it is not known.
    is_seen: the engine found a line here, though it is not sure of the text.
    known: the line that the engine found here, with or without text.
    line: what the engine reads here in the end.
    """

    box: Box
    letters: int = 0
    is_seen: bool = False
    known: Line | None = None
    line: Line | None = None

    def turned(self, turns: int) -> Box:
        """Return the corners for text that is turned clockwise by quarters."""
        first, second, third, fourth = (self.box[(corner + turns) % 4] for corner in range(4))
        return first, second, third, fourth

    def may_be_turned(self, turns: int) -> bool:
        """Return whether text that is turned by quarters fits the shape."""
        width, height = math.dist(self.box[0], self.box[1]), math.dist(self.box[0], self.box[3])
        return (height if turns % 2 else width) * MAX_SQUARE_RATIO >= (width if turns % 2 else height)

    def is_text(self) -> bool:
        """Return whether there is text, though nothing reads it."""
        if self.letters >= MIN_SURE_LETTERS:
            return True
        return self.is_seen and (self.letters > 0 or length_in_heights(self.box) >= MIN_DROPPED_HEIGHTS)


class UnreadInk:
    """Ink of one page that no line covered.

    read: lines that were read in another way.
    unread: places with text that nothing reads.
    unread_words: those of them that are long enough to be text even in a drawing or a photograph.
    uncertain: lines whose text can be wrong.
    """

    def __init__(self, number: int, account: InkAccount, places: Sequence[Place] = ()) -> None:
        self._number = number
        self._account = account
        self._places = places
        self.read = [place.line for place in places if place.line is not None]
        left = [place for place in places if place.line is None and place.is_text()]
        self.unread = [place.box for place in left if not _text_of(place.known)]
        self.unread_words = [place.box for place in left if place.letters >= MIN_WORD_LETTERS]
        self.uncertain = [place.box for place in left if _text_of(place.known)]

    def all_lines(self, lines: Sequence[Line]) -> list[Line]:
        """Return lines of the page with those read here, and an empty line for each unread row.

        Args:
            lines: those that the engine gave, with and without text.
        """
        reread = [place.known for place in self._places if place.line is not None]
        kept = [line for line in lines if not any(line is other for other in reread)]
        dropped = {line.box for line in kept if not line.text}
        rows = [Line(self._number, "", "", box) for box in self.unread if box not in dropped]
        return [*kept, *self.read, *rows]

    def warnings(self, lines: Sequence[Line], others: Sequence[PageWarning]) -> list[PageWarning]:
        """Return the warnings about the ink that is still unread, in the end.

        Args:
            lines: lines with text.
            others: warnings about the page, whose places need no other warning.
        """
        named = [box for warning in others for box in warning.boxes]
        known = [*named, *(line.box for line in lines if line.box is not None)]
        unread = boxes_outside(self.unread, known)
        if not (unread or lines or named):
            return [_without_text(self._number, has_ink=self._account.has_ink())]
        kept = {line.box for line in lines if (line.confidence or 0.0) < MIN_CERTAIN_CONFIDENCE}
        uncertain = boxes_outside([box for box in self.uncertain if box in kept], named)
        return [
            *([unread_ink_warning(self._number, unread, self._account.share(unread))] if unread else []),
            *([low_confidence_warning(self._number, uncertain)] if uncertain else []),
        ]


def read_unread_ink(page: PageImage, lines: Sequence[Line], engine: Engine) -> UnreadInk:
    """Read the ink of a page again that no line covers. Without boxes, only a page without text is noticed.

    Args:
        page: the page.
        lines: all its lines, those without text too.
        engine: the engine that read them.
    """
    account = InkAccount(page.pixels, lines)
    if not engine.provides_boxes:
        return UnreadInk(page.number, account)
    unsure = [line for line in lines if line.box is not None and _is_unsure(line)]
    places = list(_places(account, unsure))
    reread = [place for place in places if place.known is None or len(unsure) <= MAX_UNSURE_LINES]
    reread = [place for place in reread if place.known is None or place.is_text()]
    for turns in range(4):
        tried = [one for one in reread[:MAX_PLACES] if one.line is None and one.may_be_turned(turns)]
        if tried:
            _read_sheet(page, tried, turns, engine)
    return UnreadInk(page.number, account, places)


def ink_beside_lines(page: PageImage, lines: Sequence[Line]) -> UnreadInk:
    """Return the ink of a page that no line covers, and the unsure lines, without reading them again."""
    account = InkAccount(page.pixels, lines)
    unsure = [line for line in lines if line.text and line.box is not None and _is_unsure(line)]
    return UnreadInk(page.number, account, list(_places(account, unsure)))


def low_confidence_warning(number: int, boxes: Sequence[Box]) -> PageWarning:
    """Return the warning about lines whose text may be wrong."""
    lines = "1 line" if len(boxes) == 1 else f"{len(boxes)} lines"
    were = "was" if len(boxes) == 1 else "were"
    message = f"{lines} on page {number} {were} read with low confidence."
    return PageWarning(WarningCode.LOW_CONFIDENCE, message, tuple(boxes))


def unread_ink_warning(number: int, boxes: Sequence[Box], share: float | None = None) -> PageWarning:
    """Return the warning about ink that nothing reads."""
    places = "1 place" if len(boxes) == 1 else f"{len(boxes)} places"
    looks = "looks" if len(boxes) == 1 else "look"
    return PageWarning(
        WarningCode.UNREAD_INK,
        f"{places} on page {number} {looks} like text that could not be read.",
        tuple(boxes),
        share,
    )


def _without_text(number: int, *, has_ink: bool) -> PageWarning:
    if has_ink:
        return PageWarning(WarningCode.NO_TEXT, f"No text was found on page {number}, but it is not blank.")
    return PageWarning(WarningCode.BLANK_PAGE, f"Page {number} is blank.")


def _places(account: InkAccount, unsure: Sequence[Line]) -> Iterator[Place]:
    """Yield the rows that no line covers, and the unsure lines with the letters of the rows in them."""
    lines = [Place(line.box, is_seen=True, known=line) for line in unsure if line.box is not None]
    corners = _corners([line.box for line in lines])
    for row in account.rows:
        around = np.flatnonzero(_contain_center(corners, row.box))
        if len(around):
            lines[around[0]].letters += row.letters
        else:
            yield Place(row.box, row.letters)
    yield from lines


def _text_of(line: Line | None) -> str:
    return line.text if line is not None else ""


def _is_unsure(line: Line) -> bool:
    """Return whether a line has no text, or is long enough to be sure of its text and is not."""
    if not line.text:
        return True
    is_long = length_in_heights(line.box) >= MIN_DROPPED_HEIGHTS
    return is_long and line.confidence is not None and line.confidence < MIN_CERTAIN_CONFIDENCE


def boxes_outside(boxes: Sequence[Box], others: Sequence[Box]) -> list[Box]:
    """Return the boxes whose centers are in none of the others."""
    corners = _corners(others)
    return [box for box in boxes if not _contain_center(corners, box).any()]


def _corners(boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
    """Return the corners of boxes, (n, 4, 2)."""
    return np.array(boxes, np.float64).reshape(-1, 4, 2)


def _contain_center(corners: npt.NDArray[np.float64], box: Box) -> npt.NDArray[np.bool_]:
    """Return which of some boxes have the center of another one within their bounds."""
    center = np.array(box, np.float64).sum(axis=0) / 4
    is_inside = (corners.min(axis=1) <= center) & (center <= corners.max(axis=1))
    return np.asarray(is_inside.all(axis=1), np.bool_)


def _read_sheet(page: PageImage, places: Sequence[Place], turns: int, engine: Engine) -> None:
    """Read places in one direction; set what is found there."""
    sheet = LineSheet.of(page, [place.turned(turns) for place in places])
    by_place = sheet.by_line(lines_of(engine, sheet.page))
    for number, (place, parts) in enumerate(zip(places, by_place, strict=True)):
        seen = sum(math.dist(part.box[0], part.box[1]) for part in parts if part.box)
        text, confidence, words = sheet.joined(number, parts)
        letters = sum(map(str.isalnum, text))
        if not letters or letters < MIN_TEXT_SHARE * place.letters:
            continue
        place.is_seen = place.is_seen or seen >= MIN_SEEN_SHARE * sheet.lengths[number]
        if _is_sure(letters, confidence, place):
            box = place.turned(turns)
            place.line = Line(page.number, text, "\n\n" + escape(text), box, confidence, words=words)


def _is_sure(letters: int, confidence: float, place: Place) -> bool:
    is_short = letters <= SHORT_TEXT or place.known is not None
    return confidence >= (MIN_SHORT_CONFIDENCE if is_short else MIN_CONFIDENCE)
