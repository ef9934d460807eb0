"""Lines of a page with few words that are found twice: “RED” beside “RED BLUE”.

Detections at two scales cut drawn words in different places. The longer line stays. Its confidence is the
share of its letters that both have, because one of the two is wrong. A single letter does not lower it.
"""

from collections.abc import Sequence

from . import first_lines
from .detector import Quads
from .line_reading import LineReading


def without_repetitions(lines: Sequence[tuple[Quads, LineReading]]) -> list[tuple[Quads, LineReading]]:
    """Return lines without those in another one whose text is a part of its text, or a single letter."""
    kept: list[tuple[Quads, LineReading]] = []
    for quad, reading in sorted(lines, key=lambda line: -len(line[1].text)):
        around = next((place for place, other in enumerate(kept) if _contains(other, (quad, reading))), None)
        if around is None:
            kept.append((quad, reading))
        else:
            longer, known = kept[around]
            if (common := len(_letters(reading.text))) > 1:
                confidence = min(known.confidence, common / len(_letters(known.text)))
                kept[around] = longer, known._replace(confidence=confidence)
    return kept


def _contains(line: tuple[Quads, LineReading], other: tuple[Quads, LineReading]) -> bool:
    letters = _letters(other[1].text)
    longer = _letters(line[1].text)
    is_part = bool(letters) and (letters in longer or len(letters) == 1 < len(longer))
    return is_part and not len(first_lines.exclude_already_read(other[0][None], [line[0]]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
