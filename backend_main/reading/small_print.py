"""Print that is too small to be read for certain.

A recognition model reads tiny print with high confidence, and loses letters and words of it.
"""

import math
from collections.abc import Sequence

from .types import Box, Line, PageWarning
from .warning_codes import WarningCode

MIN_LINE_HEIGHT = 11.5
"""Height in pixels of the box of a line, below which 4 % to 60 % of its letters are wrong.

Measured with PP-OCRv6 on pages of 10 points: 42 to 48 dpi have boxes of 9 to 11 pixels and 4 % to 15 % wrong
letters, 54 dpi 11.2 to 11.5 pixels and 2 % to 5 %, 75 dpi 14.4 pixels and 1 %.
"""
MIN_SMALL_SHARE = 0.2
"""Share of the letters of a page in small print, from which the page has a warning. Of 73 scans and
photographs, one has 0.13, and the others at most 0.07."""


def small_print_warning(number: int, lines: Sequence[Line]) -> PageWarning | None:
    """Return the warning about a page with much small print, or None.

    Args:
        number: of the page.
        lines: recognized ones.
    """
    known = [(line, line.box) for line in lines if line.box is not None and line.text]
    small = [(line, box) for line, box in known if _height(box) < MIN_LINE_HEIGHT]
    letters = sum(len(line.text) for line, _ in small)
    share = letters / max(1, sum(len(line.text) for line, _ in known))
    if share < MIN_SMALL_SHARE:
        return None
    amount = f"About {share:.0%} of" if share < 1 else "All"
    return PageWarning(
        WarningCode.SMALL_PRINT,
        f"{amount} the print on page {number} is lower than 12 pixels, so letters and words may be wrong or "
        "missing. Scan the page with a higher resolution.",
        tuple(box for _, box in small),
        share,
    )


def _height(box: Box) -> float:
    return min(math.dist(box[0], box[1]), math.dist(box[0], box[3]))
