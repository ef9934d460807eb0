"""Profile of a document: style of running text, levels of heading styles, line distances, and words.

A heading style is one that is larger than running text, or bold where running text is not. Levels follow the
sizes: the same style has the same level in the whole document.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from ..documents.pdf_text_layer import TextLayer, TextRun
from ..documents.styled_text import BLACK
from .joined_rows import NO_VOCABULARY, Vocabulary, vocabulary_of
from .numbering import section_depth
from .page import StyleKey, main_style, style_key
from .tags import style_levels

MIN_HEADING_SIZE = 1.08
"""In sizes of running text: larger text is a heading, if it is short."""
MAX_SIZE_DIFFERENCE = 0.03
"""Sizes that differ by a smaller share are one size."""
MAX_STYLE_SHARE = 0.3
"""A style with more of the document's letters is not one of headings."""
LONG_RUN = 14.0
"""Width in sizes from which a run is running text, and not a heading, a label or the cell of a table."""
MIN_BODY_SHARE = 0.6
"""Letters of running text, as a share of those of the most common size."""
MAX_LONG_SHARE, MAX_LEAD_SIZE = 0.6, 1.3
"""A style that is hardly larger than running text, and mostly in long runs, is that of a lead."""
LEVEL_SIZES = ((1.7, 1), (1.3, 2), (MIN_HEADING_SIZE, 3))
"""Level of the document's largest headings by their size in sizes of running text. Browsers show the levels 1
to 3 in 2, 1.5 and 1.17 sizes; the limits lie between these."""
LOWEST_LEVELS = ((2.0, 2), (1.5, 3), (1.25, 4))
"""Deepest level by size: labels of a chart may be larger than a title."""
BOLD_LEVEL = 2
"""Level of bold headings in the size of running text, if there are no larger ones."""
MAX_LEVEL = 6
MAX_SINGLE_PITCH, MIN_PITCHES = 1.6, 3
"""In sizes: a larger distance is that of paragraphs, unless it occurs as often below long lines."""
MAX_PITCH = 3.0
"""In sizes: the largest distance of two lines that counts."""

_NUMBER = re.compile(r"^\s*\d+(?:\.\d+)*\.?\s+")


@dataclass(frozen=True)
class DocumentProfile:
    """Facts about a document from a sample of its pages; sizes are pixels of the rendered page.

    `levels`: heading levels by size, largest first. `pitches`: distance of the lines of a paragraph by size,
    in sizes. `vocabulary`: its words. `depths`: by heading style, the least parts of its section numbers.
    `titles`: those of bookmarks, as `title_key` returns them. `tag_levels`: levels that the tags of the file
    give to styles.
    """

    body_size: float = 0.0
    is_bold: bool = False
    is_monospaced: bool = False
    color: int = BLACK
    levels: Mapping[float, int] = field(default_factory=dict)
    pitches: Mapping[float, float] = field(default_factory=dict)
    vocabulary: Vocabulary = NO_VOCABULARY
    depths: Mapping[StyleKey, int] = field(default_factory=dict)
    titles: frozenset[str] = frozenset()
    tag_levels: Mapping[StyleKey, int] = field(default_factory=dict)

    def ratio(self, size: float) -> float:
        """Return a size in sizes of running text."""
        return size / self.body_size if self.body_size else 1.0

    def size_level(self, size: float) -> int:
        """Return the level of headings of a size, 0 for one that is not larger than running text.

        A size that the sample lacks has a level between those of its neighbours.
        """
        if self.ratio(size) <= MIN_HEADING_SIZE or self.is_text_size(size):
            return 0
        levels = {known: level for known, level in self.levels.items() if level}
        limit = size * (1 + MAX_SIZE_DIFFERENCE)
        if smaller := [level for known, level in levels.items() if known <= limit]:
            return min(smaller)
        larger = max(levels.values(), default=0)
        return min(MAX_LEVEL, larger + 1) if larger else _first_level(self.ratio(size))

    def is_text_size(self, size: float) -> bool:
        """Return whether a larger size is one of text, such as that of a lead or of a slide."""
        return any(is_same_size(size, known) and not level for known, level in self.levels.items())

    @cached_property
    def bold_level(self) -> int:
        """Level of headings in the size of running text that are bold, or numbered in capitals."""
        lowest = max(self.levels.values(), default=0)
        return min(MAX_LEVEL, lowest + 1) if lowest else BOLD_LEVEL

    def pitch(self, size: float) -> float:
        """Return the usual distance of two lines of a paragraph in sizes, 0 if it is unknown."""
        for known in (size, self.body_size):
            for other, pitch in self.pitches.items():
                if is_same_size(other, known):
                    return pitch
        return 0.0


def is_same_size(one: float, other: float) -> bool:
    return abs(one - other) <= MAX_SIZE_DIFFERENCE * max(one, other)


def title_key(text: str) -> str:
    """Return a text as titles are compared: letters and digits without section number and case."""
    return "".join(letter for letter in _NUMBER.sub("", text).casefold() if letter.isalnum())


def profile_of(layers: Mapping[int, TextLayer], titles: frozenset[str]) -> DocumentProfile:
    """Return the profile of a document from the text layers of some pages, by number."""
    runs = [(number, run) for number, layer in layers.items() for run in layer.runs if run.pieces]
    runs = [(number, run) for number, run in runs if _is_level(run)]
    if not runs:
        return DocumentProfile(titles=titles)
    statistics = [_Run(number, run) for number, run in runs]
    body = _body(statistics)
    return DocumentProfile(
        body_size=body.size,
        is_bold=body.is_bold,
        is_monospaced=body.is_monospaced,
        color=body.color,
        levels=_levels(statistics, body),
        pitches=_pitches(statistics),
        vocabulary=vocabulary_of(run.text for _, run in runs),
        depths=_depths(statistics),
        titles=titles,
        tag_levels=style_levels(layers.values(), (body.size, body.is_bold)),
    )


class _Run:
    """A run with its main style."""

    def __init__(self, page: int, run: TextRun) -> None:
        style = main_style(run.pieces)
        self.page = page
        self.text = run.text
        self.letters = len(run.text)
        self.size, self.is_bold = style_key(style)
        self.is_monospaced = style.font.is_monospaced
        self.color = style.color
        self.left, self.right = run.box[0][0], run.box[2][0]
        main = [piece for piece in run.pieces if not piece.script or piece.style == style]
        self.baseline = main[0].baseline

    @property
    def is_long(self) -> bool:
        return self.right - self.left >= LONG_RUN * self.size


def _is_level(run: TextRun) -> bool:
    """Return whether a run is horizontal; stamps and watermarks are often not."""
    (x0, y0), (x1, y1), (_, y2), _ = run.box
    return abs(y1 - y0) < 1 and (x1 - x0 >= y2 - y1 or len(run.text) <= 2)


@dataclass(frozen=True)
class _Body:
    size: float
    is_bold: bool
    is_monospaced: bool
    color: int


def _body(runs: Sequence[_Run]) -> _Body:
    """Return the style of most letters in long runs; monospaced only where nearly nothing else is."""
    long_runs = [run for run in runs if run.is_long] or list(runs)
    proportional = [run for run in long_runs if not run.is_monospaced]
    is_monospaced = _letters(proportional) < MAX_STYLE_SHARE * _letters(long_runs)
    counted = long_runs if is_monospaced else proportional
    size = _body_size(counted)
    same = [run for run in counted if is_same_size(run.size, size)]
    color = Counter(run.color for run in same).most_common(1)[0][0]
    is_bold = 2 * _letters(run for run in same if run.is_bold) > _letters(same)
    return _Body(size, is_bold, is_monospaced, color)


def _letters(runs: Iterable[_Run]) -> int:
    return sum(run.letters for run in runs)


def _body_size(runs: Iterable[_Run]) -> float:
    """Return the size of running text: the largest of the common ones, since notes may be longer than it."""
    counts: Counter[float] = Counter()
    for run in runs:
        counts[run.size] += run.letters
    clusters = {size: sum(n for other, n in counts.items() if is_same_size(size, other)) for size in counts}
    most = max(clusters.values())
    largest = max(size for size, count in clusters.items() if count >= MIN_BODY_SHARE * most)
    same = [size for size in counts if is_same_size(size, largest)]
    return max(same, key=counts.__getitem__)


# --- levels ------------------------------------------------------------------------------------------------


def _first_level(ratio: float) -> int:
    return next((level for limit, level in LEVEL_SIZES if ratio > limit), LEVEL_SIZES[-1][1])


def _levels(runs: Sequence[_Run], body: _Body) -> dict[float, int]:
    """Return the levels of sizes that are larger than running text, 0 for those of text.

    Sizes that occur once, on the first page, above smaller ones that recur, are those of a title. They do not
    push the others down.
    """
    by_size = _larger_sizes(runs, body)
    total = _letters(runs)
    levels = {size: 0 for size, same in by_size.items() if _is_text(same, size / body.size, total)}
    sizes = [size for size in by_size if size not in levels]
    recurring = [size for size in sizes if _is_recurring(by_size[size])]
    titles = [size for size in sizes if recurring and size > recurring[0]]
    first = _first_level(sizes[0] / body.size) if sizes else 1
    if titles:
        levels |= dict.fromkeys(titles, 2) | {titles[0]: 1}
        sizes = [size for size in sizes if size not in titles]
        first = 2
    levels |= {size: first + rank for rank, size in enumerate(sizes)}
    return {size: min(level, _lowest_level(size / body.size)) for size, level in levels.items()}


def _lowest_level(ratio: float) -> int:
    """Return the deepest level that text of a size can have, however many larger sizes there are."""
    return next((level for limit, level in LOWEST_LEVELS if ratio > limit), MAX_LEVEL)


def _larger_sizes(runs: Sequence[_Run], body: _Body) -> dict[float, list[_Run]]:
    """Return the runs by size, largest first, for sizes above that of running text."""
    by_size: dict[float, list[_Run]] = {}
    larger = [run for run in runs if run.size > MIN_HEADING_SIZE * body.size and not run.is_monospaced]
    for run in sorted(larger, key=lambda run: -run.size):
        if any(letter.isalnum() for letter in run.text):
            size = next((known for known in by_size if is_same_size(known, run.size)), run.size)
            by_size.setdefault(size, []).append(run)
    return by_size


def _is_text(runs: Sequence[_Run], ratio: float, total: int) -> bool:
    if _letters(runs) > MAX_STYLE_SHARE * total and ratio < LEVEL_SIZES[0][0]:
        return True
    if ratio > MAX_LEAD_SIZE or any(run.is_bold or section_depth(run.text) for run in runs):
        return False
    runs = [run for run in runs if run.page != 1] or runs
    return _letters(run for run in runs if run.is_long) > MAX_LONG_SHARE * _letters(runs) and len(runs) > 2


def _is_recurring(runs: Sequence[_Run]) -> bool:
    """Return whether a size occurs in several places, and not in the lines of one title."""
    if any(run.page != 1 for run in runs):
        return True
    return any(abs(one.baseline - other.baseline) > MAX_PITCH * one.size for one, other in pairwise(runs))


def _depths(runs: Iterable[_Run]) -> dict[StyleKey, int]:
    depths: dict[StyleKey, int] = {}
    for run in runs:
        if depth := section_depth(run.text):
            key = (run.size, run.is_bold)
            depths[key] = min(depth, depths.get(key, depth))
    return depths


# --- lines -------------------------------------------------------------------------------------------------


def _pitches(runs: Sequence[_Run]) -> dict[float, float]:
    """Return the most common distance below a long line by size: the lines that end a paragraph are short."""
    found: defaultdict[float, Counter[float]] = defaultdict(Counter)
    for above, run in pairwise(runs):
        if above.page != run.page or not above.is_long or not is_same_size(above.size, run.size):
            continue
        pitch = (run.baseline - above.baseline) / run.size
        if 0.5 < pitch < MAX_PITCH and min(above.right, run.right) > max(above.left, run.left):
            found[run.size][round(pitch, 2)] += 1
    usual = {size: counts.most_common(1)[0] for size, counts in found.items()}
    return {
        size: pitch
        for size, (pitch, count) in usual.items()
        if pitch < MAX_SINGLE_PITCH or count >= MIN_PITCHES
    }
