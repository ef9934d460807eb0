"""Frames of a born-digital page: boxed text, such as a sidebar, a pull quote or a note, stays together.

A frame is a filled rectangle, or one with a line around it. A shaded line of text is none, and neither is the
background of the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..documents.pdf_graphics import Rule
from ..layout.geometry import LayoutBox, Rect, rect_area
from ..layout.rows import group_rows
from .page import DigitalPage

MAX_PAGE_SHARE = 0.6
"""Share of the page's area: a larger rectangle is a background, or a border of the page."""
MAX_BOX_SHARE = 0.8
"""Share of the page's boxes that a frame contains at most."""
MIN_ROWS = 2
MIN_WIDTH = 6.0
"""In heights of running text."""
EDGE_TOLERANCE = 0.3
"""In heights of running text: text may cross the edge of its frame by as much."""
RULE_TOLERANCE = 3.0
"""In pixels: ends of lines that meet are as near."""
MAX_RULES, MAX_RECTS = 400, 200
"""A page with more has grids and drawings, not frames."""


@dataclass(frozen=True)
class Frame:
    """Boxed text: its rectangle, and the boxes in it. Frames in it are boxes too."""

    rect: Rect
    boxes: tuple[LayoutBox, ...]


def group_frames(
    page: DigitalPage, flow: Sequence[LayoutBox], body_height: float, next_index: int
) -> tuple[list[LayoutBox], dict[int, Frame]]:
    """Replace the boxes of each frame by a box of the frame.

    Returns:
        The flow with the frames, and the frames by their index, from `next_index`.
    """
    flow, frames = list(flow), dict[int, Frame]()
    for rect in sorted(set(_rects(page)), key=rect_area):
        inside = [box for box in flow if _contains(rect, box, EDGE_TOLERANCE * body_height)]
        if not _is_frame(page, rect, inside, len(flow), body_height):
            continue
        index = next_index + len(frames)
        frames[index] = Frame(rect, tuple(inside))
        flow = [box for box in flow if box not in inside]
        flow.append(LayoutBox(index, *rect, text_height=body_height))
    return flow, frames


def _is_frame(
    page: DigitalPage, rect: Rect, inside: Sequence[LayoutBox], count: int, body_height: float
) -> bool:
    if rect_area(rect) > MAX_PAGE_SHARE * page.layer.width * page.layer.height:
        return False
    if rect[2] - rect[0] < MIN_WIDTH * body_height or len(inside) > MAX_BOX_SHARE * count:
        return False
    return len(inside) >= MIN_ROWS and len(group_rows(inside)) >= MIN_ROWS


def _rects(page: DigitalPage) -> list[Rect]:
    graphics = page.graphics
    rects = [fill.rect for fill in graphics.fills] + list(graphics.frames)
    if len(rects) > MAX_RECTS:
        return []
    return rects + _rects_of_rules(graphics.rules)


def _rects_of_rules(rules: Sequence[Rule]) -> list[Rect]:
    """Return the rectangles that four lines make."""
    level = sorted((rule for rule in rules if rule.is_horizontal), key=lambda rule: rule.y0)
    upright = [rule for rule in rules if not rule.is_horizontal]
    if len(rules) > MAX_RULES or len(upright) < 2:
        return []
    rects = []
    for number, top in enumerate(level):
        for bottom in level[number + 1 :]:
            if abs(top.x0 - bottom.x0) > RULE_TOLERANCE or abs(top.x1 - bottom.x1) > RULE_TOLERANCE:
                continue
            if all(_has_side(upright, x, top.y0, bottom.y0) for x in (top.x0, top.x1)):
                rects.append((top.x0, top.y0, top.x1, bottom.y0))
                break
    return rects


def _has_side(upright: Sequence[Rule], x: float, top: float, bottom: float) -> bool:
    return any(
        abs(rule.x0 - x) <= RULE_TOLERANCE
        and rule.y0 <= top + RULE_TOLERANCE
        and rule.y1 >= bottom - RULE_TOLERANCE
        for rule in upright
    )


def _contains(rect: Rect, box: LayoutBox, tolerance: float) -> bool:
    left, top, right, bottom = rect
    return (
        left - tolerance <= box.left
        and box.right <= right + tolerance
        and top - tolerance <= box.top
        and box.bottom <= bottom + tolerance
    )
