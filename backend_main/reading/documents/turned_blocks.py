"""Blocks of text in other rotations than the rest of their page, each read in its own frame.

Folded leaflets, seating plans and labels have text in several rotations, and its lines are lines in their own
frame only. Labels of axes and the turned heads of a table stay in the frame of the page, as parts of its
figures and tables.
"""

import math
from collections.abc import Callable, Sequence

from .pdf_characters import Glyph
from .pdf_lines import TextLine

MAX_TURNED_SHARE = 0.5
"""If more letters are turned, the page has no frame of its own, and all of them are read in theirs."""
UPRIGHT_DEGREES = 15.0
"""A line that is less slanted belongs to the text of the page."""
MIN_BLOCK_WORDS = 3
"""Words of a line of text. Labels of axes and heads of tables have fewer, or stand alone."""
MAX_PITCH = 2.5
"""In heights of a line: distance of the lines of a block, which may have a blank line between them."""
MIN_COMMON_LENGTH = 0.5
"""Share of the shorter line that lies beside the other line of a block."""
MAX_COMPARED_LINES = 400
"""A page with more turned lines has more than labels in them, and comparing each pair takes too long."""


def turned_rotations(
    lines: Sequence[TextLine], glyphs: Sequence[Glyph], page_rotation: int, quarter_turns: int | None
) -> list[float | None]:
    """Return the rotation of each line that is read in its own frame, in degrees counter-clockwise as shown.

    Args:
        lines: of the page.
        glyphs: of the page, as it draws them.
        page_rotation: degrees clockwise.
        quarter_turns: rotation of the text of the page; None: it has no common one.
    """
    main = 90.0 * (quarter_turns or 0)

    def rotation(angle: float) -> float:
        return (math.degrees(angle) - page_rotation) % 360

    def is_turned(angle: float) -> bool:
        return abs((rotation(angle) - main + 180) % 360 - 180) > UPRIGHT_DEGREES

    turned = [index for index, line in enumerate(lines) if is_turned(line.angle)]
    if not turned:
        return [None] * len(lines)
    letters = [glyph for glyph in glyphs if not glyph.is_space]
    count = sum(is_turned(glyph.angle) for glyph in letters)
    if count <= MAX_TURNED_SHARE * len(letters):
        turned = _in_blocks(lines, turned)
    own = set(turned)
    return [round(rotation(line.angle), 1) if index in own else None for index, line in enumerate(lines)]


def frame_turn(
    degrees: float, width: float, height: float
) -> tuple[Callable[[float, float], tuple[float, float]], float, float]:
    """Return the mapping from a page to the frame in which a rotation is upright, and the size of the frame.

    Args:
        degrees: rotation, counter-clockwise as shown.
        width: of the page.
        height: of the page.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def turned(x: float, y: float) -> tuple[float, float]:
        return x * cosine - y * sine, x * sine + y * cosine

    corners = [turned(x, y) for x in (0.0, width) for y in (0.0, height)]
    xs, ys = zip(*corners, strict=True)
    left, top = min(xs), min(ys)
    return lambda x, y: (turned(x, y)[0] - left, turned(x, y)[1] - top), max(xs) - left, max(ys) - top


def _in_blocks(lines: Sequence[TextLine], turned: Sequence[int]) -> list[int]:
    """Return those of the turned lines that are beside another line of text in the same rotation."""
    if len(turned) > MAX_COMPARED_LINES:
        return list(turned)
    texts = [index for index in turned if _words(lines[index]) >= MIN_BLOCK_WORDS]
    seeds = [index for index in texts if _has_neighbour(lines, index, texts)]
    return [index for index in turned if index in seeds or _has_neighbour(lines, index, seeds)]


def _has_neighbour(lines: Sequence[TextLine], index: int, others: Sequence[int]) -> bool:
    return any(other != index and _are_in_block(lines[index], lines[other]) for other in others)


def _words(line: TextLine) -> int:
    return 1 + sum(fragment.starts_word for fragment in line.fragments[1:])


def _are_in_block(one: TextLine, other: TextLine) -> bool:
    if abs(one.angle - other.angle) > 1e-3:
        return False
    pitch = MAX_PITCH * min(one.top - one.bottom, other.top - other.bottom)
    common = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    return abs(one.bottom - other.bottom) <= pitch and common >= MIN_COMMON_LENGTH * shorter
