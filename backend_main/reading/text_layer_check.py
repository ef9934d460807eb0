"""Comparison of a text layer with the picture of its page, by a few lines that an engine reads.

It costs a rendering and the recognition of at most six lines, so it needs a reason: the letters form no
words, or somebody recognized the scan before.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np

from .confidence import LOW_CONFIDENCE
from .documents.base_letters import to_base_letters
from .documents.document import PageImage
from .documents.pdf_text_layer import TextRun, is_unmapped
from .documents.styled_text import text_of_pieces
from .engines import Engine, lines_after_restart
from .types import Line
from .words import realigned

MARGIN = 0.35
"""In heights of a line: what is cut out around it. Accents and descenders reach beyond its box."""
GAP = 1.0
"""In heights of a line: white between two lines."""
WHITE = 255
RULE = "|"
"""The lines beside a cell of a table are read as this letter."""
MIN_SIMILARITY = 0.8
"""Share of equal letters from which two texts are the same, read with errors. Text whose letters are mapped
wrongly shares 0.1 to 0.4."""
MIN_ROUGH_SIMILARITY = 0.6
"""For an engine that reads a script which the usual one does not: Tesseract misses lines and figures of
Korean, and shares 0.75 with a correct text layer."""
MIN_LETTERS, MIN_FIGURES = 8, 4
MIN_LETTERS_OF_SIGNS = 2
"""Letters that an engine reads, from which signs are unmapped letters. A bullet can look like an o."""

_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison, in shares from 0 to 1.

    figures: similarity of the figures alone; 1 if there are too few to compare.
    confidence: mean confidence of the engine, weighted by letters; None from an engine without confidences.
    """

    similarity: float
    figures: float
    confidence: float | None

    @property
    def is_same(self) -> bool:
        """The text layer is what is printed, apart from errors of the engine."""
        return min(self.similarity, self.figures) >= MIN_SIMILARITY

    @property
    def is_roughly_same(self) -> bool:
        """The letters of the text layer are what is printed, for an engine that makes many errors."""
        return self.similarity >= MIN_ROUGH_SIMILARITY

    @property
    def is_sure(self) -> bool:
        """The engine reads this kind of text, so that its result decides."""
        return self.confidence is None or self.confidence >= LOW_CONFIDENCE

    @property
    def is_better_than_recognition(self) -> bool:
        """The text layer agrees with the engine more than the engine is confident."""
        return self.confidence is not None and self.similarity > self.confidence


def compare_lines(page: PageImage, runs: Sequence[TextRun], engine: Engine) -> Comparison | None:
    """Let an engine read some lines; return how far they agree. None if there is too little, or it fails.

    Args:
        page: the whole page.
        runs: lines of its text layer.
        engine: a configured engine.
    """
    expected = _letters(run.text for run in runs)
    if 0 < len(expected) < MIN_LETTERS:
        return None
    try:
        lines = lines_after_restart(engine.read_page(_strip(page, runs).image))
    except Exception:  # an engine may raise any exception
        _log.exception("The text layer of page %d could not be compared with the page.", page.number)
        return None
    read = _letters(line.text for line in lines)
    if not expected:
        return Comparison(float(len(read) < MIN_LETTERS_OF_SIGNS), 1.0, _confidence(lines))
    figures = "".join(filter(str.isdigit, expected))
    read_figures = "".join(filter(str.isdigit, read))
    has_figures = len(figures) >= MIN_FIGURES
    return Comparison(
        similarity=_similarity(expected, read),
        figures=_similarity(figures, read_figures) if has_figures else 1.0,
        confidence=_confidence(lines),
    )


def _similarity(expected: str, read: str) -> float:
    return SequenceMatcher(None, expected, read, autojunk=False).ratio()


def read_runs(page: PageImage, runs: Sequence[TextRun], engine: Engine) -> list[TextRun | None]:
    """Let an engine read lines that have lost letters; return each with them, or None if it is not sure.

    Args:
        page: the whole page.
        runs: the lines; their letters that are left have to be in the text.
        engine: a configured engine with boxes.
    """
    try:
        strip = _strip(page, runs)
        lines = lines_after_restart(engine.read_page(strip.image))
    except Exception:  # an engine may raise any exception
        _log.exception("Lines of page %d that have lost letters could not be recognized.", page.number)
        return [None] * len(runs)
    restored: list[TextRun | None] = []
    for run, top, bottom in zip(runs, strip.tops, (*strip.tops[1:], strip.image.height), strict=True):
        own = [line for line in lines if line.box and top <= (line.box[0][1] + line.box[2][1]) / 2 < bottom]
        own.sort(key=lambda line: line.box[0][0] if line.box else 0.0)
        text = " ".join(line.text for line in own if line.text)
        similarity = _similarity(_letters([run.text]), _letters([text]))
        is_sure = (_confidence(own) or 0.0) >= LOW_CONFIDENCE and similarity >= MIN_SIMILARITY
        restored.append(with_lost_letters(run, text) if is_sure else None)
    return restored


def with_lost_letters(run: TextRun, read: str) -> TextRun | None:
    """Return a run with the letters that an engine has read for its unmapped glyphs; None if some are left.

    All that the text layer has stays: engines read curly quotes as straight ones, and miss accents.
    """
    letters = list(run.text)
    for kind, start, end, first, last in SequenceMatcher(None, run.text, read, autojunk=False).get_opcodes():
        lost = [index for index in range(start, end) if is_unmapped(run.text[index])]
        if kind == "replace" and lost:
            letters[start:end] = [""] * (end - start)
            letters[lost[0]] = read[first:last].strip(f" {RULE}") or read[first:last]
    pieces, place = [], 0
    for number, piece in enumerate(run.pieces):
        place += number > 0 and piece.starts_word  # a space
        text = "".join(letters[place : place + len(piece.text)])
        place += len(piece.text)
        pieces += [replace(piece, text=text)] if text else []
    text = text_of_pieces(pieces)
    words = realigned(run.words, run.text, text, run.box)
    restored = replace(run, text=text, pieces=tuple(pieces), words=words)
    return None if any(map(is_unmapped, restored.text)) else restored


@dataclass(frozen=True)
class _Strip:
    """Lines, one below the other, as a page of its own; `tops` are their upper edges."""

    image: PageImage
    tops: tuple[int, ...]


def _strip(page: PageImage, runs: Sequence[TextRun]) -> _Strip:
    parts = [_cut(page, run) for run in runs]
    width = max(part.shape[1] for part in parts)
    rows, tops, top = [], [], 0
    for part in parts:
        height, own_width = part.shape[:2]
        row = np.full((height + round(GAP * height), width, 3), WHITE, np.uint8)
        row[:height, :own_width] = part
        rows.append(row)
        tops.append(top)
        top += len(row)
    pixels = np.concatenate(rows)
    return _Strip(PageImage(page.number, pixels, width, top), tuple(tops))


def _cut(page: PageImage, run: TextRun) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    xs, ys = zip(*run.box, strict=True)
    margin = MARGIN * min(max(xs) - min(xs), max(ys) - min(ys))
    left, top = max(0, int(min(xs) - margin)), max(0, int(min(ys) - margin))
    return page.pixels[top : int(max(ys) + margin) + 1, left : int(max(xs) + margin) + 1]


def _confidence(lines: Iterable[Line]) -> float | None:
    """Return the mean confidence by letters. A box whose content is unreadable counts as a few letters."""
    known = [
        (line.confidence, max(MIN_LETTERS, len(line.text))) for line in lines if line.confidence is not None
    ]
    if not known:
        return None
    return sum(confidence * letters for confidence, letters in known) / sum(letters for _, letters in known)


def _letters(texts: Iterable[str]) -> str:
    """Return the letters and digits of texts, without marks and case; spaces and marks are often misread."""
    return "".join(letter for letter in to_base_letters("".join(texts)) if letter.isalnum())
