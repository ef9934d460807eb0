"""Words of a born-digital page and their lines, as tables need them: with exact bounds."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..documents.styled_text import TextPiece
from ..layout.geometry import LayoutBox, Rect
from .page import DigitalPage

# In font sizes.
ASCENT, DESCENT, X_HEIGHT = 0.76, 0.22, 0.5
MAX_BASELINE_DISTANCE = 0.3
"""Words of one line have baselines as near."""
MIN_ROTATED_HEIGHT = 1.8
"""A box of this height has text that runs upwards or downwards."""
MAX_PHRASE_GAP = 0.5
"""Words of a phrase are as near; a wider gap may separate two cells."""
LEADER = re.compile(r"[.·․…_‥]{3,}|[.·․]( [.·․])+")
"""Dots or strokes that lead from a label to its value."""
NUMBER = re.compile(r"[-+−–(]?\s?[$€£¥]?\s?[.,\s]*\d[\d.,\s]*\s?[%)€$£¥]{0,2}|[-–—.]+")
"""A number as tables have it, or a mark for none."""
DIGIT = re.compile(r"\d")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its bounds in pixels; `box` is its run on the page, `order` its place in the run.

    `place` is the place of the run in the content of the page.
    """

    pieces: tuple[TextPiece, ...]
    left: float
    right: float
    baseline: float
    size: float
    box: int
    order: int
    place: int | None = None
    rotated: Rect | None = None

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def top(self) -> float:
        return self.rotated[1] if self.rotated else self.baseline - ASCENT * self.size

    @property
    def bottom(self) -> float:
        return self.rotated[3] if self.rotated else self.baseline + DESCENT * self.size

    @property
    def center_x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def center_y(self) -> float:
        return (self.top + self.bottom) / 2

    def without_leader(self) -> "Word":
        """Return the word without the space that dots at its end take."""
        found = LEADER.search(self.text)
        if not found or not found.start():
            return self
        return replace(self, right=self.left + (self.right - self.left) * found.start() / len(self.text))

    def mirrored(self) -> "Word":
        """Return the word with its x axis from right to left."""
        return replace(self, left=-self.right, right=-self.left)


def are_bold(words: Iterable[Word]) -> bool:
    return all(piece.style.font.is_bold for word in words for piece in word.pieces)


class WordLine:
    """Words on one baseline, from left to right."""

    def __init__(self, words: Iterable[Word]) -> None:
        self.words = sorted(words, key=lambda word: word.left)
        self.left = self.words[0].left
        self.right = max(word.right for word in self.words)
        self.size = max(word.size for word in self.words)
        self.baseline = max(self.words, key=lambda word: word.size).baseline
        self.top = min(word.top for word in self.words)
        self.bottom = max(word.bottom for word in self.words)
        self.phrases = _phrases(self.words)

    @property
    def center_y(self) -> float:
        """Return the middle of small letters."""
        return self.baseline - X_HEIGHT / 2 * self.size


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of a line without a wide gap between them."""

    words: tuple[Word, ...]

    @property
    def left(self) -> float:
        return self.words[0].left

    @property
    def right(self) -> float:
        return max(word.right for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def _phrases(words: Sequence[Word]) -> list[Phrase]:
    groups: list[list[Word]] = []
    right = 0.0
    for word in words:
        if groups and word.left - right <= MAX_PHRASE_GAP * max(word.size, groups[-1][-1].size):
            groups[-1].append(word)
            right = max(right, word.right)
        else:
            groups.append([word])
            right = word.right
    return [Phrase(tuple(group)) for group in groups]


def page_words(page: DigitalPage, boxes: Iterable[LayoutBox]) -> list[Word]:
    """Return the words of some boxes of a page."""
    return [word for box in boxes for word in _box_words(box, page.pieces(box), page.place(box))]


def _box_words(box: LayoutBox, pieces: Sequence[TextPiece], place: int | None) -> list[Word]:
    if not pieces:
        return []
    main = max(pieces, key=lambda piece: (not piece.script, piece.style.size))
    size = main.style.size or box.text_height
    if box.height > MIN_ROTATED_HEIGHT * size and box.height > box.width:
        rect = (box.left, box.top, box.right, box.bottom)
        return [Word(tuple(pieces), box.left, box.right, box.bottom, size, box.index, 0, place, rect)]
    starts = [number for number, piece in enumerate(pieces) if piece.starts_word or number == 0]
    words = []
    for order, (start, end) in enumerate(pairwise([*starts, len(pieces)])):
        own = tuple(pieces[start:end])
        left, right = min(piece.left for piece in own), max(piece.right for piece in own)
        words.append(Word(own, left, right, main.baseline, size, box.index, order, place))
    return words


def word_lines(words: Iterable[Word], max_distance: float = MAX_BASELINE_DISTANCE) -> list[WordLine]:
    """Group words whose baselines are as near, in font sizes; the lines are from top to bottom."""
    groups: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.baseline):
        if groups and _is_level(groups[-1][0], word, max_distance):
            groups[-1].append(word)
        else:
            groups.append([word])
    return [WordLine(group) for group in groups]


def _is_level(first: Word, word: Word, max_distance: float) -> bool:
    return word.baseline - first.baseline <= max_distance * min(first.size, word.size)


def words_rect(words: Sequence[Word]) -> Rect:
    """Return the smallest rectangle around one or more words."""
    return (
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )
