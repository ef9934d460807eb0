"""Lines of a page with few words that are found twice: “RED” beside “RED BLUE”.

Detections at two scales cut hand-drawn words in different places. The longer line stays. Its confidence is
the share of its letters that both have, because one of the two is wrong.
"""

from collections.abc import Sequence

from . import first_lines
from .detector import Quads

Reading = tuple[str, float]


def without_repetitions(lines: Sequence[tuple[Quads, Reading]]) -> list[tuple[Quads, Reading]]:
    """Return lines without those that lie in another one and whose text is a part of its text."""
    kept: list[tuple[Quads, Reading]] = []
    for quad, reading in sorted(lines, key=lambda line: -len(line[1][0])):
        around = next((place for place, other in enumerate(kept) if _contains(other, (quad, reading))), None)
        if around is None:
            kept.append((quad, reading))
        else:
            longer, (text, confidence) = kept[around]
            kept[around] = longer, (text, min(confidence, len(_letters(reading[0])) / len(_letters(text))))
    return kept


def _contains(line: tuple[Quads, Reading], other: tuple[Quads, Reading]) -> bool:
    letters = _letters(other[1][0])
    is_part = bool(letters) and letters in _letters(line[1][0])
    return is_part and not len(first_lines.exclude_already_read(other[0][None], [line[0]]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
