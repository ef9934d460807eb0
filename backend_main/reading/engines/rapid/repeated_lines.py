"""Lines of a page with few words that are found twice: “RED” beside “RED BLUE”.

Detections at two scales cut drawn words in different places. The longer line stays. Its confidence is the
share of its letters that both have, because one of the two is wrong. A single letter does not lower it.
"""

from collections.abc import Sequence

from . import first_lines
from .detector import Quads

Reading = tuple[str, float]


def without_repetitions(lines: Sequence[tuple[Quads, Reading]]) -> list[tuple[Quads, Reading]]:
    """Return lines without those in another one whose text is a part of its text, or a single letter."""
    kept: list[tuple[Quads, Reading]] = []
    for quad, reading in sorted(lines, key=lambda line: -len(line[1][0])):
        around = next((place for place, other in enumerate(kept) if _contains(other, (quad, reading))), None)
        if around is None:
            kept.append((quad, reading))
        else:
            longer, (text, confidence) = kept[around]
            if (common := len(_letters(reading[0]))) > 1:
                kept[around] = longer, (text, min(confidence, common / len(_letters(text))))
    return kept


def _contains(line: tuple[Quads, Reading], other: tuple[Quads, Reading]) -> bool:
    letters = _letters(other[1][0])
    longer = _letters(line[1][0])
    is_part = bool(letters) and (letters in longer or len(letters) == 1 < len(longer))
    return is_part and not len(first_lines.exclude_already_read(other[0][None], [line[0]]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
