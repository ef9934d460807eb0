"""Regions of tables that have lines or stripes between rows, but none between columns."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf

from ..documents.pdf_graphics import Fill
from ..layout.sequences import group_runs
from .table_columns import Gap, find_columns, find_gutters, line_cells
from .table_heads import common_joints, head_above
from .table_markdown import FoundTable, TableContent
from .table_rules import Line, PageLines
from .table_text import Drawing, text_table
from .table_words import Word, WordLine, word_lines

END_TOLERANCE = 12.0
"""In pixels: lines of one table end as near to each other."""
BAND_TOLERANCE = 3.0
"""In pixels: cells of one stripe have tops and bottoms as near."""
MIN_BAND_HEIGHT, MAX_BAND_HEIGHT = 14.0, 400.0
# In font sizes.
MAX_OVERHANG = 1.0
"""Text between two lines of a table does not reach further beyond their ends."""
MAX_EMPTY_HEIGHT = 3.0
MAX_HEAD_DISTANCE = 1.6
"""From a line to the row above it, and from the last line to the rows below it."""
MAX_SECTION_LINES = 2
MAX_PARAGRAPH_SHARE = 0.75
"""Share of the width of a table from which two lines with one phrase are a paragraph."""
MIN_COMMON_HEIGHT = 0.8
"""Share of their height that parts of a table have in common."""
MAX_BESIDE_SHARE = 0.6
"""Share of the rows between lines that may have text beside these."""
LEVEL_TOLERANCE = 0.3
"""In font sizes: text of one row is as level."""
MIN_LIST_ROWS = 4
MIN_COLUMN_LINES = 3
"""Upright lines around two columns or more."""
MAX_PITCH_DIFFERENCE = 0.15
"""Share of the distance of rows: the head of a list is as far from its first row, within it."""
CAPTION = re.compile(
    r"(?:Table|Tab\.|Figure|Fig\.|Tabelle|Tableau|Tabla|Tabella|Source|Note)\b.{0,12}[.:]|表\s*\d|图\s*\d"
)


def level_lines(lines: PageLines, fills: Sequence[Fill]) -> list[Line]:
    """Return the level lines of a page, and the upper and lower sides of its stripes."""
    found = list(lines.horizontal)
    for left, top, right, bottom in stripes(fills):
        found += [Line(top, left, right, is_side=True), Line(bottom, left, right, is_side=True)]
    return sorted(found, key=lambda line: line.position)


def stripes(fills: Sequence[Fill]) -> list[tuple[float, float, float, float]]:
    """Return filled rectangles of the height of rows; those side by side are one."""
    rects = sorted(
        fill.rect for fill in fills if MIN_BAND_HEIGHT <= fill.rect[3] - fill.rect[1] <= MAX_BAND_HEIGHT
    )
    rects.sort(key=lambda rect: (round(rect[1] / BAND_TOLERANCE), rect[0]))
    found: list[tuple[float, float, float, float]] = []
    for rect in rects:
        last = found[-1] if found else None
        if last and _continues_band(last, rect):
            found[-1] = (last[0], last[1], max(last[2], rect[2]), last[3])
        else:
            found.append(rect)
    return found


def _continues_band(band: tuple[float, float, float, float], rect: tuple[float, float, float, float]) -> bool:
    return (
        abs(band[1] - rect[1]) <= BAND_TOLERANCE
        and abs(band[3] - rect[3]) <= BAND_TOLERANCE
        and rect[0] <= band[2] + END_TOLERANCE
    )


def region_tables(lines: Sequence[Line], words: Sequence[Word]) -> list[FoundTable]:
    """Return the tables between level lines with common ends."""
    found: list[FoundTable] = []
    stacks = _stacks(lines)
    strips = find_gutters(word_lines(words)) if stacks else []
    for stack in stacks:
        for part in _tabular_parts(stack, words):
            if not common_joints(part) and _has_rows_beside(part, words, strips):
                continue
            if table := _region_table(part, words):
                used = table.boxes
                words = [word for word in words if word.box not in used]
                found.append(table)
    return found


def column_line_tables(lines: Sequence[Line], words: Sequence[Word]) -> list[FoundTable]:
    """Return the tables between upright lines with common ends, without level lines between their rows."""
    found: list[FoundTable] = []
    for stack in _stacks(lines):
        inside = [
            word
            for word in words
            if stack[0].start - END_TOLERANCE < word.center_y < stack[0].end + END_TOLERANCE
            and stack[0].position < word.center_x < stack[-1].position
        ]
        drawing = Drawing((), tuple(line.position for line in stack[1:-1]))
        if len(stack) < MIN_COLUMN_LINES or not inside:
            continue
        own = word_lines(inside)
        columns = find_columns(own, drawing.forced)
        if columns.count == len(stack) - 1 and (content := text_table(own, drawing)):
            rect = (stack[0].position, stack[0].start, stack[-1].position, stack[0].end)
            table = FoundTable(content, rect)
            used = table.boxes
            words = [word for word in words if word.box not in used]
            found.append(table)
    return found


def _stacks(lines: Iterable[Line]) -> list[list[Line]]:
    """Return lines with common ends, from top to bottom."""
    stacks = []
    by_start = sorted(lines, key=lambda line: line.start)
    for same_start in group_runs(by_start, lambda run, line: line.start - run[0].start < END_TOLERANCE):
        by_end = sorted(same_start, key=lambda line: line.end)
        for stack in group_runs(by_end, lambda run, line: line.end - run[0].end < END_TOLERANCE):
            stack.sort(key=lambda line: line.position)
            distinct = [stack[0]]
            for line in stack[1:]:
                if line.position - distinct[-1].position > BAND_TOLERANCE:
                    distinct.append(line)
            if len(distinct) > 1:
                stacks.append(distinct)
    return sorted(_joined_beside(stacks), key=lambda stack: -len(stack))


def _joined_beside(stacks: list[list[Line]]) -> list[list[Line]]:
    """Join lines that end where others of the same height begin: columns that are filled one by one."""
    stacks = sorted(stacks, key=lambda stack: stack[0].start)
    joined: list[list[Line]] = []
    for stack in stacks:
        for number, other in enumerate(joined):
            if abs(other[0].end - stack[0].start) < END_TOLERANCE and _is_beside(other, stack):
                longer = max(stack, other, key=len)
                joined[number] = [replace(line, start=other[0].start, end=stack[0].end) for line in longer]
                break
        else:
            joined.append(stack)
    return joined


def _is_beside(one: Sequence[Line], other: Sequence[Line]) -> bool:
    """Return whether lines are at most of the same height of the page."""
    common = min(one[-1].position, other[-1].position) - max(one[0].position, other[0].position)
    total = max(one[-1].position, other[-1].position) - min(one[0].position, other[0].position)
    return common > MIN_COMMON_HEIGHT * total


def _between(words: Iterable[Word], upper: Line, lower: Line) -> list[Word]:
    return [
        word
        for word in words
        if upper.position < word.center_y < lower.position
        and min(upper.start, lower.start) - END_TOLERANCE < word.center_x
        and word.center_x < max(upper.end, lower.end) + END_TOLERANCE
    ]


def _tabular_parts(stack: Sequence[Line], words: Sequence[Word]) -> list[list[Line]]:
    """Divide lines where the text between two of them is not part of a table."""
    left, right = stack[0].start - END_TOLERANCE, stack[0].end + END_TOLERANCE
    near = [word for word in words if left < word.center_x < right]
    parts = [[stack[0]]]
    for upper, lower in pairwise(stack):
        if _is_tabular(upper, lower, _between(near, upper, lower)):
            parts[-1].append(lower)
        else:
            parts.append([lower])
    return [part for part in parts if len(part) > 1]


def _is_tabular(upper: Line, lower: Line, words: Sequence[Word]) -> bool:
    if not words:
        return lower.position - upper.position < 28.0 * MAX_EMPTY_HEIGHT
    lines = word_lines(words)
    joints = common_joints([upper, lower])
    size = lines[0].size
    if any(
        line.left < upper.start - MAX_OVERHANG * size or line.right > upper.end + MAX_OVERHANG * size
        for line in lines
    ):
        return False
    wide = [
        line
        for line in lines
        if len(line.phrases) == 1
        and line.right - line.left > MAX_PARAGRAPH_SHARE * upper.length
        and (not joints or any(line.left < x < line.right for x in joints))
    ]
    if len(wide) > 1:
        return False
    if joints or any(len(line.phrases) > 1 for line in lines):
        return True
    text = " ".join(phrase.text for phrase in lines[0].phrases)
    height = lower.position - upper.position
    return len(lines) <= MAX_SECTION_LINES and height < 5 * size and not CAPTION.match(text)


def _has_rows_beside(part: Sequence[Line], words: Sequence[Word], strips: Sequence[Gap]) -> bool:
    """Return whether the rows go on beside the lines, as the labels of sums that are ruled off."""
    start, end = part[0].start - END_TOLERANCE, part[0].end + END_TOLERANCE
    level = [word for word in words if part[0].position < word.center_y < part[-1].position]
    low = max((strip.center for strip in strips if strip.center < part[0].start), default=-inf)
    high = min((strip.center for strip in strips if strip.center > part[0].end), default=inf)
    beside = sorted(
        word.center_y for word in level if low < word.center_x < high and not start < word.center_x < end
    )
    inside = word_lines(word for word in level if start < word.center_x < end)
    count = 0
    for line in inside:
        y = line.words[0].center_y
        at = bisect_left(beside, y - LEVEL_TOLERANCE * line.size)
        count += at < len(beside) and beside[at] < y + LEVEL_TOLERANCE * line.size
    return count > MAX_BESIDE_SHARE * len(inside)


def _region_table(part: Sequence[Line], words: Sequence[Word]) -> FoundTable | None:
    near = [
        word for word in words if part[0].start - END_TOLERANCE < word.center_x < part[0].end + END_TOLERANCE
    ]
    inside = [word for word in near if part[0].position < word.center_y < part[-1].position]
    if not inside:
        return None
    lines = word_lines(inside)
    others = word_lines(word for word in near if not part[0].position < word.center_y < part[-1].position)
    forced = common_joints(part)
    head = head_above(part, inside, near) if forced else []
    lines = word_lines([*head, *inside]) if head else _with_rows_around(lines, others, part)
    drawing = Drawing(tuple(line.position for line in part), forced, has_joints=bool(forced))
    rect = (part[0].start, lines[0].top, part[0].end, lines[-1].bottom)
    rect = (rect[0], min(rect[1], part[0].position), rect[2], max(rect[3], part[-1].position))
    content = text_table(lines, drawing) or _list_table(lines, others, part)
    return FoundTable(content, rect) if content else None


def _with_rows_around(
    lines: list[WordLine], others: Sequence[WordLine], part: Sequence[Line]
) -> list[WordLine]:
    """Add the head above the first line, and the rows below the last one, that have the same columns."""
    columns = find_columns(lines)

    def fits(line: WordLine) -> bool:
        if len(line.phrases) < 2 or line.left < part[0].start - END_TOLERANCE:
            return False
        if line.right > part[0].end + END_TOLERANCE:
            return False
        cells = line_cells(line, columns)
        return len(cells) > 1 and all(first == last for first, last in cells)

    if columns.count < 2:
        return lines
    y = part[0].position
    for line in reversed([line for line in others if line.bottom <= y + 0.3 * line.size]):
        if y - line.bottom > MAX_HEAD_DISTANCE * line.size or not fits(line):
            break
        lines, y = [line, *lines], line.top
    y = part[-1].position
    for line in [line for line in others if line.top >= y - 0.3 * line.size]:
        if line.top - y > MAX_HEAD_DISTANCE * line.size or not fits(line):
            break
        lines, y = [*lines, line], line.bottom
    return lines


def _list_table(
    lines: Sequence[WordLine], others: Sequence[WordLine], part: Sequence[Line]
) -> TableContent | None:
    """Return a table of one column, if lines separate single lines of text."""
    if len(lines) < MIN_LIST_ROWS or len(part) < len(lines) or any(line.is_side for line in part):
        return None
    first = lines[0]
    pitch = lines[1].baseline - first.baseline
    above = [line for line in others if 0.5 * pitch < first.baseline - line.baseline < 1.5 * pitch]
    if above and abs(first.baseline - above[-1].baseline - pitch) < MAX_PITCH_DIFFERENCE * pitch:
        lines = [above[-1], *lines]
    tolerance = 0.5 * first.size
    if any(len(line.phrases) > 1 or abs(line.left - first.left) > tolerance for line in lines):
        return None
    ys = [line.position for line in part]
    bands = {sum(y < line.baseline for y in ys) for line in lines}
    return TableContent([[line.words] for line in lines]) if len(bands) == len(lines) else None
