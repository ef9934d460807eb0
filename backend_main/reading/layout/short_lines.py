"""Lines that stay lines: those of addresses, and names and figures that end at one edge.

Text layers and recognized pages share these rules. All lengths are multiples of the font size.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .text_joining import starts_lower

MAX_LABEL_WIDTH = 16.0
"""Width of a column in which lines of an address may stand."""
SAME_EDGE = 0.5
"""Ends of lines that differ by less are the same."""
MIN_RAGGED, MAX_FIRST_INDENT = 1.6, 6.0
"""Differences between starts that show ragged lines: of later lines, and with the indent of a first line."""
_CONTACT = re.compile(r"[+(]\d|www\.|https?:|[\w.+-]+@\w")
_SIGNED_FIGURE = re.compile(r"[-+–]?\s?(?:[€$£¥#№]|[A-Z]{2,3})?\s?[-+–]?\d")


@dataclass(frozen=True)
class LineSpan:
    """A line's text, and its start and end in font sizes, in reading direction."""

    text: str
    start: float
    end: float


def are_label_lines(lines: Sequence[LineSpan], width: float) -> bool:
    """Return whether the lines of a narrow column begin as those of an address do.

    Their own ends are the edge of the column, so that each of them looks full.

    Args:
        width: width of the column, in font sizes.
    """
    return width < MAX_LABEL_WIDTH and all(starts_label(line.text) for line in lines[1:])


def are_aligned_at_end(lines: Sequence[LineSpan]) -> bool:
    """Return whether lines of different widths end at one edge, as names and sums at the right do."""
    ends = [line.end for line in lines]
    if len(lines) < 2 or max(ends) - min(ends) >= SAME_EDGE:
        return False
    starts = [line.start for line in lines]
    later = starts[1:] if len(lines) > 2 else starts
    is_ragged = max(later) - min(later) > MIN_RAGGED or max(starts) - min(starts) > MAX_FIRST_INDENT
    return is_ragged and not any(starts_lower(line.text) for line in lines[1:])


def starts_label(text: str) -> bool:
    """Return whether a text begins with a capital, an amount, a telephone number, or an address of the web.

    Letters of some scripts are neither capital nor small.
    """
    return text[:1].isupper() or bool(_SIGNED_FIGURE.match(text) or _CONTACT.match(text))
