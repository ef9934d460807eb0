"""Step 10 - boxes → reading order, and what stands before each, known before anything is recognised."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..types import Box
from .columns import split_columns
from .geometry import LayoutBox, PageFrame
from .rows import (
    Row,
    gap,
    group_rows,
    height,
    median_gap,
    weighted_median,
)

SPACE, NEW_LINE, NEW_PARAGRAPH = " ", "\n", "\n\n"
HEADING_ROWS = 3


@dataclass(frozen=True)
class OrderedBox:
    """Box number `index`, and its lead: what its Markdown puts before the text."""

    index: int
    prefix: str


def reading_order(boxes: Sequence[Box]) -> list[OrderedBox]:
    """Every box once, in reading order. Unmoved by shifting, scaling and turning the page."""
    items = PageFrame.from_boxes(boxes).layout_boxes(boxes)
    if not items:
        return []
    usual = body_text_height(items)
    blocks = [group_rows(block) for block in split_columns(items, usual)]
    return _placed(blocks, usual)


def body_text_height(items: Sequence[LayoutBox]) -> float:
    """The height of the page's running text: the median over boxes, each counted by its width."""
    return max(weighted_median((item.text_height, item.width) for item in items), 1e-6)


# --- leads -------------------------------------------------------------------------------------------------


def _placed(blocks: Sequence[Sequence[Row]], usual: float) -> list[OrderedBox]:
    placed: list[OrderedBox] = []
    for rows in blocks:
        leads = _row_leads(rows, usual)
        for row, lead in zip(rows, leads, strict=True):
            for item in row:
                first = item is row[0]
                placed.append(OrderedBox(item.index, lead if first else SPACE))
    if placed:
        placed[0] = OrderedBox(placed[0].index, placed[0].prefix.lstrip())
    return placed


def _row_leads(rows: Sequence[Row], usual: float) -> list[str]:
    """A block's rows: a new paragraph after a wider gap or at an indent; headings are their own."""
    usual_space = median_gap(rows)
    edge = median(row[0].left for row in rows)
    leads: list[str] = []
    marks = _heading_marks(rows, usual)
    for number, row in enumerate(rows):
        if not number:
            leads.append(NEW_PARAGRAPH + marks[0])
            continue
        above = rows[number - 1]
        if marks[number] and _continues(above, row, usual) and marks[number - 1]:
            leads.append(SPACE)  # a heading of two rows is one heading
        elif marks[number] or marks[number - 1] or _starts_paragraph(above, row, usual_space, edge, usual):
            leads.append(NEW_PARAGRAPH + marks[number])
        else:
            leads.append(NEW_LINE)
    return leads


def _starts_paragraph(above: Row, row: Row, usual_space: float, edge: float, usual: float) -> bool:
    if gap(above, row) > usual_space + 0.5 * usual:
        return True
    indented = 0.8 * usual < row[0].left - edge < 5 * usual
    return indented and above[0].left - edge < 0.4 * usual and len(row) == 1


def _heading_marks(rows: Sequence[Row], usual: float) -> list[str]:
    """The marks of each row that is a heading: a run of few short rows, markedly taller than running text."""
    marks: list[str] = []
    for run in _text_runs(rows, usual):
        size = median(height(row) for row in run)
        level = "# " if size > 1.8 * usual else "## " if size > 1.35 * usual else ""
        heading = len(run) <= HEADING_ROWS and all(_is_short(row) for row in run)
        marks += [level if heading else ""] * len(run)
    return marks


def _text_runs(rows: Sequence[Row], usual: float) -> list[list[Row]]:
    """Rows that go on with one another: one paragraph of running text, or one heading."""
    runs: list[list[Row]] = []
    for row in rows:
        if runs and _continues(runs[-1][-1], row, usual):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _continues(above: Row, row: Row, usual: float) -> bool:
    smaller, larger = sorted((height(above), height(row)))
    return larger < 1.25 * smaller and gap(above, row) < max(larger, usual)


def _is_short(row: Row) -> bool:
    return len(row) == 1 and 2 * row[0].text_height < row[0].width < 40 * row[0].text_height
