"""Cells of text: lines of a column that are as near to each other as lines of one paragraph."""

from collections.abc import Sequence
from dataclasses import dataclass

from .table_words import Phrase, Word, WordLine, word_lines

# In font sizes.
MAX_BASELINE_DISTANCE = 0.1
"""Between words of a line; cells that are centered beside each other are further apart."""
MIN_LEADING, MAX_LEADING = 0.9, 1.7
"""Distance of the baselines in a cell."""
LEADING_STEP = 0.05
"""Distances of one text differ by less."""
LEADING_SLACK = 0.1
"""A distance that is larger by more is between two cells."""
MIN_LEADING_SHARE = 0.1
"""Share of the distances that are between lines of a cell."""
SIZE_RATIO = 1.04
"""Font sizes of one text differ by less."""
MIN_OVERLAP = 0.1
"""Cells of one row overlap in height by more."""


@dataclass(frozen=True)
class TextCell:
    """Lines below each other, from top to bottom."""

    phrases: tuple[Phrase, ...]

    @property
    def left(self) -> float:
        return min(phrase.left for phrase in self.phrases)

    @property
    def right(self) -> float:
        return max(phrase.right for phrase in self.phrases)

    @property
    def size(self) -> float:
        return self.phrases[0].words[0].size

    @property
    def top(self) -> float:
        return self.phrases[0].words[0].top

    @property
    def bottom(self) -> float:
        return self.phrases[-1].words[0].bottom

    @property
    def center(self) -> float:
        """Return the middle between the first and the last baseline."""
        return (self.phrases[0].words[0].baseline + self.phrases[-1].words[0].baseline) / 2

    @property
    def words(self) -> list[Word]:
        return [word for phrase in self.phrases for word in phrase.words]


def same_size_groups(words: Sequence[Word]) -> list[list[Word]]:
    """Group words by font size."""
    groups: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.size):
        if groups and word.size <= SIZE_RATIO * groups[-1][0].size:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def text_cells(words: Sequence[Word]) -> list[TextCell]:
    """Return the cells that words of one size make, from top to bottom."""
    lines = word_lines(words, MAX_BASELINE_DISTANCE)
    pairs = _pairs(lines)
    limit = _max_leading(pairs)
    above = {lower: upper for upper, lower, pitch in pairs if pitch <= limit}
    used: dict[Phrase, int] = {}
    for upper in above.values():
        used[upper] = used.get(upper, 0) + 1
    cells: dict[Phrase, list[Phrase]] = {}
    for line in lines:
        for phrase in line.phrases:
            if phrase in above and used[above[phrase]] == 1:
                cells[phrase] = cells[above[phrase]]
                cells[phrase].append(phrase)
            else:
                cells[phrase] = [phrase]
    distinct = {id(cell): cell for cell in cells.values()}
    return sorted((TextCell(tuple(cell)) for cell in distinct.values()), key=lambda cell: cell.top)


def _pairs(lines: Sequence[WordLine]) -> list[tuple[Phrase, Phrase, float]]:
    """Return phrases with the only phrase right above them, and their distance in font sizes."""
    pairs = []
    for number, line in enumerate(lines):
        near = [
            other
            for other in lines[max(0, number - 8) : number]
            if MIN_LEADING <= (line.baseline - other.baseline) / line.size <= MAX_LEADING
        ]
        for phrase in line.phrases:
            for other in reversed(near):
                over = [one for one in other.phrases if one.left < phrase.right and phrase.left < one.right]
                if len(over) == 1:
                    pairs.append((over[0], phrase, (line.baseline - other.baseline) / line.size))
                if over:
                    break
    return pairs


def _max_leading(pairs: Sequence[tuple[Phrase, Phrase, float]]) -> float:
    """Return the largest distance of lines in a cell: little more than the smallest usual distance."""
    pitches = sorted(pitch for _, _, pitch in pairs)
    needed = max(2.0, MIN_LEADING_SHARE * len(pitches))
    for number, pitch in enumerate(pitches):
        if sum(other <= pitch + LEADING_STEP for other in pitches[number:]) >= needed:
            return pitch + LEADING_SLACK
    return 0.0


def level_groups(cells: Sequence[TextCell]) -> list[list[TextCell]]:
    """Group cells, from top to bottom, that overlap in height."""
    groups: list[list[TextCell]] = []
    bottom = 0.0
    for cell in cells:
        if groups and cell.top < bottom - MIN_OVERLAP * cell.size:
            groups[-1].append(cell)
            bottom = max(bottom, cell.bottom)
        else:
            groups.append([cell])
            bottom = cell.bottom
    return groups
