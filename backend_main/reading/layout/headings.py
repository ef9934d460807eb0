"""Rules for headings and paragraph starts that live text and final Markdown share.

Both compare the size of a row with running text, but measure it differently. Live text knows only the heights
of boxes. They are coarse: the detector works on a small image, in steps of four pixels. So a heading must be
much higher than running text. The final Markdown knows the words too: its size is the geometric mean of the
height and the letter width, which is more exact and allows lower thresholds. In addition, the layout model
detects headings in the size of running text (docs/decisions/0040-two-stage-layout.md).
"""

from collections.abc import Sequence

from .rows import Row, gap

HeadingThresholds = Sequence[tuple[float, int]]
"""Pairs of (size relative to running text, level), the largest first."""

LIVE_HEADING_THRESHOLDS: HeadingThresholds = ((1.8, 1), (1.35, 2))
FINAL_HEADING_THRESHOLDS: HeadingThresholds = ((1.7, 1), (1.25, 2))
BODY_SIZED_HEADING_LEVEL = 3
"""Level of a heading that only the layout model detects."""
MAX_HEADING_ROWS = 3
MAX_HEADING_CHARACTERS = 160

# In body heights.
PARAGRAPH_GAP = 0.5
MIN_INDENT, MAX_INDENT = 0.8, 5.0
MAX_UNINDENTED = 0.4


def heading_level(relative_size: float, thresholds: HeadingThresholds) -> int:
    """Return the heading level of a size relative to running text, 0 for body text."""
    return next((level for threshold, level in thresholds if relative_size > threshold), 0)


def is_after_wide_gap(above: Row, row: Row, median_gap: float, body_height: float) -> bool:
    """Return whether the gap between two rows is wider than between lines of a paragraph."""
    return gap(above, row) > median_gap + PARAGRAPH_GAP * body_height


def is_indented(above: Row, row: Row, edge: float, body_height: float) -> bool:
    """Return whether a row of one box begins right of the column's `edge`, and the row above begins there."""
    indented = MIN_INDENT * body_height < row[0].left - edge < MAX_INDENT * body_height
    return indented and above[0].left - edge < MAX_UNINDENTED * body_height and len(row) == 1
