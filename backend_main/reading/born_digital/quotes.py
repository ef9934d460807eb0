"""Block quotes: text with a bar beside it, or indented on both sides."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..documents.pdf_graphics import Graphics, Rect
from .document_profile import DocumentProfile, is_same_size
from .flow import Flow, is_centered_run
from .lines import Line, wraps

# In sizes.
MAX_BAR_WIDTH, MAX_BAR_DISTANCE, MAX_BAR_OUTSIDE = 0.8, 3.0, 0.3
MIN_BAR_SHARE = 0.7
"""Share of the height of a quote that the bar beside it has."""
MIN_SIDE_INDENT = 1.2
MIN_LINES, MIN_PLAIN_LINES = 2, 3
"""Lines of a quote in smaller or italic type, and in that of the text."""
MIN_FULL_LINES = 2
"""Lines of the column that reach both of its edges, which show that a quote is indented."""
SMALLER = 0.97


def is_quote(
    run: Sequence[Line], lines: Sequence[Line], flow: Flow, profile: DocumentProfile, bars: Sequence[Rect]
) -> bool:
    """Return whether lines of a column are a block quote."""
    if any(line.has_wide_gap for line in run):
        return False
    if any(_is_beside(bar, run, flow) for bar in bars):
        return True
    size = run[0].size
    indent = min(line.start for line in run) - flow.start
    space = flow.end - max(line.end for line in run)
    if min(indent, space) < MIN_SIDE_INDENT * size or is_centered_run(run):
        return False
    is_set_off = profile.ratio(size) < SMALLER or all(line.is_italic for line in run)
    if len(run) < (MIN_LINES if is_set_off else MIN_PLAIN_LINES):
        return False
    edge = max(line.end for line in run)
    return all(wraps(above, line, edge) for above, line in pairwise(run)) and _has_full_lines(
        [line for line in lines if is_same_size(line.size, size) or is_set_off], flow
    )


def vertical_bars(graphics: Graphics, size: float) -> list[Rect]:
    """Return the upright lines and bars of a page that may stand beside quotes.

    A bar that meets a level line is a side of a frame or of a table.
    """
    rules = [
        (rule.x0 - rule.thickness / 2, rule.y0, rule.x1 + rule.thickness / 2, rule.y1)
        for rule in graphics.rules
        if not rule.is_horizontal
    ]
    bars = [*rules, *(fill.rect for fill in graphics.fills if _is_bar(fill.rect, size))]
    level = np.array([(rule.x0, rule.x1, rule.y0) for rule in graphics.rules if rule.is_horizontal])
    level = level.reshape(-1, 3)
    level = level[level[:, 1] - level[:, 0] > size]
    return [bar for bar in bars if not _meets(bar, level, MAX_BAR_OUTSIDE * size)]


def _meets(bar: Rect, level: npt.NDArray[np.float64], near: float) -> bool:
    """Return whether a bar meets one of some level lines, (n, 3): start, end and height of each."""
    start, end, y = level.T
    is_beside = (start - near < bar[2]) & (bar[0] < end + near)
    return bool((is_beside & (bar[1] - near < y) & (y < bar[3] + near)).any())


def _is_bar(rect: Rect, size: float) -> bool:
    return rect[2] - rect[0] < MAX_BAR_WIDTH * size and rect[3] - rect[1] > size


def _is_beside(bar: Rect, run: Sequence[Line], flow: Flow) -> bool:
    size, is_from_right = run[0].size, run[0].is_from_right
    near, far = (-bar[2], -bar[0]) if is_from_right else (bar[0], bar[2])
    start = min(line.start for line in run)
    if not 0 < start - far < MAX_BAR_DISTANCE * size or near < flow.start - MAX_BAR_OUTSIDE * size:
        return False
    top, bottom = min(line.rect[1] for line in run), max(line.rect[3] for line in run)
    common = min(bottom, bar[3]) - max(top, bar[1])
    return common > MIN_BAR_SHARE * (bottom - top)


def _has_full_lines(lines: Iterable[Line], flow: Flow) -> bool:
    full = [
        line
        for line in lines
        if line.start - flow.start < MIN_SIDE_INDENT * line.size
        and flow.end - line.end < MIN_SIDE_INDENT * line.size
    ]
    return len(full) >= MIN_FULL_LINES
