"""Blocks of a column, from its lines.

The lines are divided into runs: code, tables of contents, headings, list items and paragraphs. Then each run
becomes a block, or several.
"""

from collections.abc import Sequence
from itertools import pairwise

from ..documents.styled_text import TextPiece
from ..layout.geometry import LayoutBox, Rect, bounding_rect
from ..layout.text_joining import CAPTION, ends_sentence
from .blocks import BlockKind, DigitalBlock
from .code_blocks import MAX_BLOCK_PITCH, code_markdown, is_code_line, is_inline_code
from .contents import contents_lines, is_rest_of_entry, without_leader
from .document_profile import DocumentProfile, is_same_size
from .flow import (
    MAX_TALL_GAP,
    MIN_INDENT,
    PARAGRAPH_GAP,
    SAME_EDGE,
    SMALL_GAP,
    Flow,
    continues_paragraph,
    paragraphs_of,
)
from .footnotes import notes_start, starts_note
from .headings import HeadingRules, Surroundings
from .joined_rows import join_rows
from .lines import Line, column_lines
from .lists import Nesting, drawn_bullets, item_text_start, line_marker, without_marker
from .numbering import Marker
from .page import DigitalPage
from .quotes import is_quote, vertical_bars
from .tags import Tags

MATRIX_ROW = 0.7
"""In sizes: half of the distance of a matrix's rows, which it adds above and below its line."""
OPEN_LINE = 4.0
"""In sizes: a last line that leaves less of the column empty may go on in the next column."""
MIN_OPEN_LINES = 3
MIN_OPEN_WIDTH = 12.0
"""In sizes: width of a column whose text may go on in another."""
MIN_OPEN_SHARE = 0.8
"""Share of the column's width that a paragraph of one line has if it may go on in the next column."""


def column_blocks(
    page: DigitalPage, boxes: Sequence[LayoutBox], profile: DocumentProfile
) -> list[DigitalBlock]:
    """Return the blocks of a column, from top to bottom."""
    lines = column_lines(page, boxes)
    return _Column(page, lines, profile).blocks() if lines else []


class _Column:
    def __init__(self, page: DigitalPage, lines: Sequence[Line], profile: DocumentProfile) -> None:
        self._lines = lines
        self._profile = profile
        self._flow = Flow(lines, profile)
        self._rules = HeadingRules(page, profile)
        self._tags = Tags(page.layer)
        size = profile.body_size or lines[0].size
        bullets = drawn_bullets(page.graphics, size)
        self._markers = [line_marker(line, bullets, size) for line in lines]
        self._bars = vertical_bars(page.graphics, size)
        self._notes = notes_start(lines, profile, page.layer.height)
        self._nesting = Nesting()
        self._number = 0

    def blocks(self) -> list[DigitalBlock]:
        blocks: list[DigitalBlock] = []
        first = 0
        for start, end, kind in self._special_ranges():
            blocks += self._text_blocks(first, start)
            self._nesting.end()
            blocks.append(self._code(start, end) if kind == "code" else self._contents(start, end))
            first = end
        return blocks + self._text_blocks(first, len(self._lines))

    # --- code and tables of contents -----------------------------------------------------------------------

    def _special_ranges(self) -> list[tuple[int, int, str]]:
        """Return the ranges of lines that are code or tables of contents, in order."""
        contents = [(start, end, "contents") for start, end in contents_lines(self._lines)]
        taken = {number for start, end, _ in contents for number in range(start, end)}
        code = [
            (start, end, "code")
            for start, end in self._code_ranges()
            if not taken.intersection(range(start, end))
        ]
        return sorted(contents + code)

    def _code_ranges(self) -> list[tuple[int, int]]:
        ranges: list[list[int]] = []
        for number, line in enumerate(self._lines):
            if not is_code_line(line, self._profile) or self._markers[number]:
                continue
            if ranges and ranges[-1][1] == number and self._is_near(number):
                ranges[-1][1] += 1
            else:
                ranges.append([number, number + 1])
        return [
            (start, end)
            for start, end in ranges
            if not is_inline_code(self._lines, start, end - 1, self._flow)
        ]

    def _is_near(self, number: int) -> bool:
        above, line = self._lines[number - 1], self._lines[number]
        return line.baseline - above.baseline < MAX_BLOCK_PITCH * line.size

    def _code(self, start: int, end: int) -> DigitalBlock:
        lines = self._lines[start:end]
        return DigitalBlock("code", _rect(lines), markdown=code_markdown(lines), boxes=_boxes(lines))

    def _contents(self, start: int, end: int) -> DigitalBlock:
        lines = self._lines[start:end]
        entries = [[lines[0]]]
        for above, line in pairwise(lines):
            if is_rest_of_entry(above, line):
                entries[-1].append(line)
            else:
                entries.append([line])
        texts = [without_leader(self._joined(entry)) for entry in entries]
        return DigitalBlock("paragraph", _rect(lines), texts, boxes=_boxes(lines))

    # --- runs of text --------------------------------------------------------------------------------------

    def _text_blocks(self, start: int, end: int) -> list[DigitalBlock]:
        blocks: list[DigitalBlock] = []
        for first, last in self._runs(start, end):
            blocks += self._run_blocks(first, last)
        return blocks

    def _runs(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the ranges of lines that belong together, each as first line and end."""
        runs: list[tuple[int, int]] = []
        for number in range(start, end):
            if runs and self._continues(runs[-1][0], number, end):
                runs[-1] = (runs[-1][0], number + 1)
                continue
            runs.append((number, number + 1))
            marker = self._markers[number]
            self._number = marker.number if marker and marker.number else self._number
        return runs

    def _continues(self, first: int, number: int, end: int) -> bool:
        """Return whether a line belongs to the run that begins at line `first`."""
        above, line = self._lines[number - 1], self._lines[number]
        if number == self._notes or (number > self._notes and starts_note(line)):
            return False
        marker = self._markers[number]
        if marker and marker.kind == "bullet" and self._starts_item(first, number, is_full=True):
            return False
        if self._rules.is_candidate(above) and self._rules.is_candidate(line):
            if self._rules.belong_together(above, line, self._flow):
                return True
            if self._rules.are_two(above, line):
                return False
        if not self._is_same_style(above, line) or self._is_after_gap(above, line):
            return False
        is_full = self._flow.is_full(above, line)
        if self._starts_item(first, number, is_full=is_full):
            return False
        if CAPTION.match(line.text) and not is_full:
            return False
        if marker := self._markers[first]:
            return self._continues_item(first, marker, number, is_full=is_full)
        below = self._lines[number + 1] if number + 1 < end else None
        return continues_paragraph(self._lines[first:number], line, below, self._flow)

    def _is_same_style(self, above: Line, line: Line) -> bool:
        """Return whether the styles of two lines may be in one paragraph."""
        is_full = self._flow.is_full(above, line)
        if self._rules.is_candidate(above) != self._rules.is_candidate(line):
            if self._profile.size_level(above.size) or self._profile.size_level(line.size):
                return False
            last, first = above.pieces[-1].style.font, line.pieces[0].style.font
            return is_full and (last.is_bold == first.is_bold or line.starts_lower)
        if is_same_size(above.size, line.size):
            return True
        sizes = {piece.style.size for piece in above.pieces}
        return is_full and any(piece.style.size in sizes for piece in line.pieces)

    def _is_after_gap(self, above: Line, line: Line) -> bool:
        excess = self._flow.excess(above, line)
        is_full = self._flow.is_full(above, line)
        is_inside = not ends_sentence(above.text)
        goes_on = is_full and (line.starts_lower or is_inside)
        if excess > PARAGRAPH_GAP:
            is_explained = above.is_tall or line.is_tall or (is_inside and line.starts_lower)
            max_gap = MAX_TALL_GAP + MATRIX_ROW * (above.row_count + line.row_count - 2)
            return not (goes_on and is_explained and excess < max_gap)
        return excess > SMALL_GAP and not goes_on

    def _starts_item(self, first: int, number: int, *, is_full: bool) -> bool:
        """Return whether a line begins a list item, and not a line of text with a number at its start."""
        marker, above, line = self._markers[number], self._lines[number - 1], self._lines[number]
        if marker is None:
            return False
        if not is_full or (marker.kind == "bullet" and not marker.text.startswith(("-", "–", "—", "*"))):
            return True
        item = self._markers[first]
        if item and line.start < item_text_start(self._lines[first], item) - SAME_EDGE * line.size:
            return True
        is_next = marker.number > 1 and marker.number == self._number + 1
        return is_next or line.start > above.start + MIN_INDENT * line.size

    def _continues_item(self, first: int, marker: Marker, number: int, *, is_full: bool) -> bool:
        item, above, line = self._lines[first], self._lines[number - 1], self._lines[number]
        slack = SAME_EDGE * line.size
        if line.start > item_text_start(item, marker) - slack:
            return True
        goes_on = line.starts_lower or not ends_sentence(above.text)
        return is_full and (line.start > item.start - slack or goes_on)

    # --- blocks --------------------------------------------------------------------------------------------

    def _run_blocks(self, first: int, last: int) -> list[DigitalBlock]:
        run = self._lines[first:last]
        above = self._lines[first - 1] if first else None
        below = self._lines[last] if last < len(self._lines) else None
        if first >= self._notes:
            return self._paragraphs(run, "footnote")
        if level := self._rules.level(run, Surroundings(above, below), self._flow):
            self._nesting.end()
            return [DigitalBlock("heading", _rect(run), [self._joined(run)], level, boxes=_boxes(run))]
        if marker := self._markers[first]:
            return [self._list_item(run, marker)]
        if CAPTION.match(run[0].text):
            self._nesting.end()
            return self._paragraphs(run, "caption")
        if not self._nesting.holds(run[0].start, run[0].size):
            self._nesting.end()
            if self._is_tagged_quote(run) or is_quote(
                run, self._lines, self._flow, self._profile, self._bars
            ):
                return self._paragraphs(run, "quote")
        return self._paragraphs(run, "paragraph")

    def _joined(self, lines: Sequence[Line]) -> list[TextPiece]:
        return join_rows([line.pieces for line in lines], self._profile.vocabulary)

    def _is_tagged_quote(self, run: Sequence[Line]) -> bool:
        return all(self._tags.is_quoted(line.rect) for line in run)

    def _paragraphs(self, run: Sequence[Line], kind: BlockKind) -> list[DigitalBlock]:
        depth = self._nesting.count if kind == "paragraph" else 0
        blocks = []
        for paragraph in paragraphs_of(run, self._flow, is_prose=kind != "paragraph"):
            lines = [line for joined in paragraph for line in joined]
            texts = [self._joined(joined) for joined in paragraph]
            blocks.append(
                DigitalBlock(
                    kind,
                    _rect(lines),
                    texts,
                    depth,
                    space_left=self._space_left(lines) if len(paragraph) == 1 else None,
                    boxes=_boxes(lines),
                )
            )
        return blocks

    def _list_item(self, run: Sequence[Line], marker: Marker) -> DigitalBlock:
        first = run[0]
        depth = self._nesting.depth(first.start, item_text_start(first, marker), first.size)
        paragraph = [
            line for paragraph in paragraphs_of(run, self._flow, is_prose=True) for line in paragraph
        ]
        texts = [self._joined(joined) for joined in paragraph]
        if marker.kind != "other":
            texts[0] = without_marker(texts[0], marker.text)
        shown = {"bullet": "-", "number": marker.text, "other": ""}[marker.kind]
        space_left = self._space_left(run)
        return DigitalBlock(
            "list_item", _rect(run), texts, depth, shown, space_left=space_left, boxes=_boxes(run)
        )

    def _space_left(self, lines: Sequence[Line]) -> float | None:
        """Return what the last line leaves empty, if it is nearly full and ends inside of a sentence."""
        last, width = lines[-1], self._flow.end - self._flow.start
        if len(self._lines) < MIN_OPEN_LINES or ends_sentence(last.text):
            return None
        if width < MIN_OPEN_WIDTH * last.size:
            return None
        if len(lines) == 1 and last.end - last.start < MIN_OPEN_SHARE * width:
            return None
        space = self._flow.end - last.end
        return space if space < OPEN_LINE * last.size else None


def _rect(lines: Sequence[Line]) -> Rect:
    return bounding_rect([box for line in lines for box in line.boxes])


def _boxes(lines: Sequence[Line]) -> tuple[int, ...]:
    return tuple(box.index for line in lines for box in line.boxes)
