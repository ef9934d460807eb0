"""Headings: which lines of a column are one, and at which level.

Larger text is a heading if it is short. Text in the size of the paragraphs must be bold, or be numbered in
capitals or italics, and stand apart. Bold labels of forms and tables are not headings: other bold text or a
value stands beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..layout.geometry import LayoutBox
from ..layout.text_joining import CAPTION, ends_sentence
from .document_profile import MAX_LEVEL, DocumentProfile, is_same_size, title_key
from .flow import Flow
from .lines import WIDE_GAP, Line
from .numbering import has_clear_number, has_section_number, list_item_marker, section_depth
from .page import DigitalPage, style_key
from .tags import LEVELS, Tags, style_levels

MAX_HEADING_LINES, MAX_HEADING_CHARACTERS = 4, 220
MAX_BOLD_LINES, MAX_BOLD_CHARACTERS = 3, 160
MAX_SENTENCE_WORDS = 8
"""Text that is hardly larger than running text, has more words and ends with a full stop is a sentence."""
MIN_PLAIN_SIZE = 1.14
"""In sizes of running text: smaller headings differ in weight, capitals or color too. Browsers use 1.17."""
CLEAR_SIZE = 1.35
"""In sizes of running text: larger text is a heading even if it ends as a sentence does."""
MIN_GAP_ABOVE = 0.15
"""In sizes above the usual distance: bold headings have more space above them."""
MAX_LINE_PITCH = 0.6
"""In sizes above the usual distance: lines of one heading are as near."""
MAX_WIDE_GAPS = 1
MIN_TITLE_LETTERS = 4


@dataclass(frozen=True)
class Surroundings:
    """Lines above and below a block in its column."""

    above: Line | None
    below: Line | None


class HeadingRules:
    """Rules for the headings of a page."""

    def __init__(self, page: DigitalPage, profile: DocumentProfile) -> None:
        self._page = page
        self._tags = Tags(page.layer)
        on_page = style_levels([page.layer], (profile.body_size, profile.is_bold))
        self._tag_levels = {**on_page, **profile.tag_levels}
        self._profile = profile

    def is_candidate(self, line: Line) -> bool:
        """Return whether the style of a line may be that of headings. Values of form fields are not."""
        if self._is_value(line):
            return False
        is_larger = bool(self._profile.size_level(line.size))
        return is_larger or self._is_bold_heading_style(line) or self._tags.heading(line.rect) is not None

    def _is_value(self, line: Line) -> bool:
        """Return whether a line consists of values of form fields, whose size does not show a heading."""
        return all(box.index in self._page.values for box in line.boxes)

    def belong_together(self, above: Line, line: Line, flow: Flow) -> bool:
        """Return whether two lines in the style of a heading are one heading."""
        areas = self._tags.heading(above.rect), self._tags.heading(line.rect)
        if any(areas):
            return areas[0] is areas[1]
        if not is_same_size(above.size, line.size) or above.is_bold != line.is_bold:
            return False
        if (
            has_section_number(line.text)
            or above.text.isupper() != line.text.isupper()
            or flow.excess(above, line) > MAX_LINE_PITCH
        ):
            return False
        is_larger = bool(self._profile.size_level(line.size))
        return flow.is_full(above, line) or (is_larger and flow.excess(above, line) < MIN_GAP_ABOVE)

    def are_two(self, above: Line, line: Line) -> bool:
        """Return whether two lines in the style of a heading are not lines of one bold paragraph."""
        if self._tags.heading(above.rect) or self._tags.heading(line.rect):
            return True
        is_larger = self._profile.size_level(above.size) or self._profile.size_level(line.size)
        return bool(is_larger) or above.is_bold != line.is_bold or has_section_number(line.text)

    def level(self, lines: Sequence[Line], around: Surroundings, flow: Flow) -> int:
        """Return the level of a block, 0 if it is not a heading."""
        text = " ".join(line.text for line in lines)
        if not self._is_possible(lines, text, flow):
            return 0
        first = lines[0]
        if area := self._tags.heading(first.rect):
            return LEVELS[area.tag]
        level = self._tag_levels.get(style_key(first.style), 0) or self._profile.size_level(first.size)
        if level:
            level = level if self._is_short(lines, text, first) else 0
        elif self._is_body_sized_heading(lines, text, around, flow):
            level = self._body_sized_level(first)
        elif self._is_bookmark(text, first):
            level = self._profile.bold_level
        return self._with_number(level, text, first) if level else 0

    def _is_possible(self, lines: Sequence[Line], text: str, flow: Flow) -> bool:
        if len(lines) > MAX_HEADING_LINES or len(text) > MAX_HEADING_CHARACTERS:
            return False
        if any(map(self._is_value, lines)):
            return False
        if not any(map(str.isalnum, text)) or CAPTION.match(text):
            return False
        marker = list_item_marker(text)
        if marker and (marker.kind == "bullet" or marker.kind == "other"):
            return False
        return not any(self._is_row_of_table(line, flow) for line in lines)

    def _is_row_of_table(self, line: Line, flow: Flow) -> bool:
        """Return whether wide gaps divide a line, except one behind a section number.

        Gaps of a justified heading in a narrow column are wide, too.
        """
        gaps = [
            other.left - one.right for one, other in pairwise(sorted(line.boxes, key=lambda box: box.left))
        ]
        wide = sum(gap > WIDE_GAP * line.size for gap in gaps)
        if wide <= MAX_WIDE_GAPS and has_section_number(line.text):
            return False
        is_larger = bool(self._profile.size_level(line.size))
        is_justified = line.is_evenly_spaced and flow.fills(line)
        return wide > 0 and not (is_larger and is_justified)

    def _is_short(self, lines: Sequence[Line], text: str, first: Line) -> bool:
        """Return whether larger text is a heading, and not a sentence in larger type."""
        is_distinct = first.is_bold or text.isupper() or first.style.color != self._profile.color
        if self._profile.ratio(first.size) < MIN_PLAIN_SIZE and not is_distinct:
            return False
        if self._profile.ratio(first.size) > CLEAR_SIZE or first.is_bold:
            return True
        is_sentence = ends_sentence(text) and len(text.split()) > MAX_SENTENCE_WORDS
        return not is_sentence and len(lines) <= MAX_BOLD_LINES

    def _is_bold_heading_style(self, line: Line) -> bool:
        is_body_sized = self._profile.ratio(line.size) > 0.93
        return line.is_bold and not self._profile.is_bold and is_body_sized

    def _is_body_sized_heading(
        self, lines: Sequence[Line], text: str, around: Surroundings, flow: Flow
    ) -> bool:
        first = lines[0]
        if not all(flow.is_full(above, line) for above, line in pairwise(lines)):
            return False
        if len(lines) > MAX_BOLD_LINES or len(text) > MAX_BOLD_CHARACTERS or text.endswith((",", ";")):
            return False
        is_numbered = has_section_number(text)
        is_bold = all(map(self._is_bold_heading_style, lines))
        if not is_bold and not (has_clear_number(text) and _is_distinct(lines, text)):
            return False
        if not is_numbered and (text.endswith((".", ":")) or not any(map(str.isalpha, text))):
            return False
        if self._has_bold_neighbour(first) or (around.below is None and around.above is None):
            return False
        return self._is_apart(lines, around, flow, is_numbered=is_numbered)

    def _is_apart(
        self, lines: Sequence[Line], around: Surroundings, flow: Flow, *, is_numbered: bool
    ) -> bool:
        """Return whether a block has space above it, and is followed by other text."""
        above, below = around.above, around.below
        if below and self._is_in_list(lines[-1], below, flow):
            return False
        if above is None or self._profile.size_level(above.size) or above.is_monospaced:
            return True
        if self._is_in_list(above, lines[0], flow):
            return False
        gap = flow.excess(above, lines[0])
        return gap > MIN_GAP_ABOVE or (is_numbered and gap > -MIN_GAP_ABOVE)

    def _is_in_list(self, above: Line, line: Line, flow: Flow) -> bool:
        """Return whether two bold lines are close, as items are; section numbers of other depths are not."""
        if not (self._is_bold_heading_style(above) and self._is_bold_heading_style(line)):
            return False
        is_section = section_depth(above.text) != section_depth(line.text)
        return flow.excess(above, line) < MIN_GAP_ABOVE and not is_section

    def _has_bold_neighbour(self, line: Line) -> bool:
        """Return whether other bold text is on the line, outside of the column: labels, or a table's head."""
        own = {box.index for box in line.boxes}
        return any(self._is_bold_beside(line, box) for box in self._page.boxes if box.index not in own)

    def _is_bold_beside(self, line: Line, box: LayoutBox) -> bool:
        is_level = line.rect[1] < box.center_y < line.rect[3]
        if not is_level or not is_same_size(box.text_height, line.boxes[0].text_height):
            return False
        pieces = self._page.pieces(box)
        return bool(pieces) and all(piece.style.font.is_bold for piece in pieces)

    def _body_sized_level(self, first: Line) -> int:
        is_main = first.is_bold or first.text.isupper() or not first.is_italic
        return min(MAX_LEVEL, self._profile.bold_level + (0 if is_main else 1))

    def _is_bookmark(self, text: str, first: Line) -> bool:
        """Return whether a bookmark names the text, which differs from running text."""
        key = title_key(text)
        is_distinct = first.is_italic or first.text.isupper() or first.is_bold or has_section_number(text)
        return len(key) >= MIN_TITLE_LETTERS and key in self._profile.titles and is_distinct

    def _with_number(self, level: int, text: str, first: Line) -> int:
        """Return the level of a style, deepened by a section number with more parts than others."""
        depth = section_depth(text)
        least = self._profile.depths.get((round(first.size, 1), first.style.font.is_bold), depth)
        return min(MAX_LEVEL, level + max(0, depth - least)) if depth else level


def _is_distinct(lines: Sequence[Line], text: str) -> bool:
    """Return whether numbered text is in capitals or italics."""
    return text.isupper() or all(line.is_italic for line in lines) or _is_small_capitals(lines)


def _is_small_capitals(lines: Sequence[Line]) -> bool:
    """Return whether lines are in capitals of two sizes."""
    is_upper = all(line.text.isupper() for line in lines)
    return is_upper and all(len({piece.style.size for piece in line.pieces}) > 1 for line in lines)
