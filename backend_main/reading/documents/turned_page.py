"""Pages whose text is rotated by a quarter or half turn as a whole, read in the frame of their text.

Landscape tables on upright pages are such pages, and vertical Chinese and Japanese.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..types import Box, level_box
from .pdf_characters import Glyph
from .pdf_graphics import NO_GRAPHICS, Fill, Graphics, Mapping, Rect, Rule
from .pdf_structure import NO_TAGS
from .turned_blocks import frame_turn

if TYPE_CHECKING:
    from .pdf_text_layer import TextLayer, TextRun

MIN_MAIN_SHARE = 0.85
"""Share of a page's letters that have the rotation of its text."""
Turn = Callable[[float, float], tuple[float, float]]


def quarter_turns_of_text(glyphs: Sequence[Glyph], page_rotation: int) -> int | None:
    """Return the rotation of a page's text as it is shown, in counter-clockwise quarter turns.

    None: its letters have no common rotation.
    """
    quarter = math.pi / 2
    counts = Counter(
        round(glyph.angle / quarter) % 4 if abs(glyph.angle % quarter) < 1e-6 else -1
        for glyph in glyphs
        if not glyph.is_space
    )
    if not counts:
        return 0
    turns, count = counts.most_common(1)[0]
    if turns < 0 or count < MIN_MAIN_SHARE * counts.total():
        return None
    return (turns - page_rotation // 90) % 4


def turned_mapping(to_pixels: Mapping, turns: int, width: float, height: float) -> Mapping:
    """Return the mapping to the pixels of a page that is turned so that its text is upright."""
    turn = _turn(turns, width, height)
    return (lambda x, y: turn(*to_pixels(x, y))) if turns else to_pixels


def _turn(turns: int, width: float, height: float) -> Turn:
    match turns:
        case 1:
            return lambda x, y: (height - y, x)
        case 2:
            return lambda x, y: (width - x, height - y)
        case 3:
            return lambda x, y: (y, width - x)
        case _:
            return lambda x, y: (x, y)


def upright_layer(layer: "TextLayer") -> "TextLayer":
    """Return a text layer in the frame of its text; the pieces of its runs are in it already."""
    if not layer.quarter_turns:
        return layer
    turn = _turn(layer.quarter_turns, layer.width, layer.height)
    is_quarter = layer.quarter_turns % 2 == 1
    return replace(
        layer,
        width=layer.height if is_quarter else layer.width,
        height=layer.width if is_quarter else layer.height,
        runs=tuple(_run(run, turn) for run in layer.runs),
        graphics=_graphics(layer.graphics, turn),
        unread_areas=tuple(_rect(area, turn) for area in layer.unread_areas),
        quarter_turns=0,
    )


def block_layer(layer: "TextLayer", rotation: float, indices: Sequence[int]) -> "TextLayer":
    """Return some runs of a text layer in the frame of their rotation, as a layer of its own.

    Args:
        layer: of the page.
        rotation: of the runs, in degrees counter-clockwise.
        indices: of the runs.
    """
    turn, width, height = frame_turn(rotation, layer.width, layer.height)
    is_quarter, graphics = rotation % 90 == 0, layer.graphics
    return replace(
        layer,
        width=round(width),
        height=round(height),
        runs=tuple(_run(layer.runs[index], turn) for index in indices),
        # Figures belong to the page; only what can make a table is needed.
        graphics=replace(_graphics(graphics, turn), images=(), shapes=()) if is_quarter else NO_GRAPHICS,
        unread_areas=(),
        sample=(),
        with_lost_letters=(),
        notes=(),
        quarter_turns=0,
        tags=NO_TAGS,
        fields=(),
    )


def upright_box(layer: "TextLayer", box: Box) -> Box:
    """Return a box of the page in the frame of its text."""
    return _box(box, _turn(layer.quarter_turns, layer.width, layer.height)) if layer.quarter_turns else box


def page_box(layer: "TextLayer", box: Box) -> Box:
    """Return a box in the frame of the text of a page as a box of the page."""
    if not layer.quarter_turns:
        return box
    width, height = layer.width, layer.height
    if layer.quarter_turns % 2:
        width, height = height, width
    return _box(box, _turn(4 - layer.quarter_turns, width, height))


def _run(run: "TextRun", turn: Turn) -> "TextRun":
    return replace(run, box=_box(run.box, turn))


def _box(box: Box, turn: Turn) -> Box:
    xs, ys = zip(*(turn(x, y) for x, y in box), strict=True)
    return level_box(min(xs), min(ys), max(xs), max(ys))


def _rect(rect: Rect, turn: Turn) -> Rect:
    (x0, y0), (x1, y1) = turn(rect[0], rect[1]), turn(rect[2], rect[3])
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _graphics(graphics: Graphics, turn: Turn) -> Graphics:
    return replace(
        graphics,
        rules=tuple(_rule(rule, turn) for rule in graphics.rules),
        fills=tuple(Fill(_rect(fill.rect, turn), fill.color) for fill in graphics.fills),
        images=tuple(_rect(image, turn) for image in graphics.images),
        shapes=tuple(_rect(shape, turn) for shape in graphics.shapes),
        frames=tuple(_rect(frame, turn) for frame in graphics.frames),
    )


def _rule(rule: Rule, turn: Turn) -> Rule:
    return Rule(*_rect((rule.x0, rule.y0, rule.x1, rule.y1), turn), rule.thickness)
