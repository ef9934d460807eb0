"""Footnotes: smaller text at the foot of a column that begins with a number or a mark."""

import re
from collections.abc import Sequence

from ..layout.text_joining import CAPTION, ends_sentence
from .document_profile import DocumentProfile, is_same_size
from .lines import Line
from .numbering import list_item_marker

MAX_NOTE_SIZE = 0.93
"""In sizes of running text."""
MIN_TOP = 0.4
"""Share of the page's height above the first footnote."""
MIN_GAP = 0.8
"""In sizes: space above small text that is not marked."""
MAX_FREE_END = 4.0
"""In sizes: a line that leaves more free at its end is the last of its paragraph."""
_MARK = re.compile(r"^(?:(?:\d{1,3}|[*†‡§¶‖]{1,3})[.)]?|[a-z][.)])(?:\s|(?=[A-Z“\"(]))")


def notes_start(lines: Sequence[Line], profile: DocumentProfile, page_height: float) -> int:
    """Return the number of the first line of footnotes, the count of lines if there are none.

    Small text without a mark counts if it is apart, and stands inside of a sentence, as a permission to copy
    at the foot of a column does.
    """
    start, first_small = len(lines), len(lines)
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if profile.ratio(line.size) > MAX_NOTE_SIZE or line.rect[1] < MIN_TOP * page_height:
            break
        first_small = number
        above = lines[:number]
        if is_raised_mark(line) or (
            starts_note(line) and not _goes_on(above, line) and not _goes_on_with_list(above, line)
        ):
            start = number
    if 0 < first_small < start and _interrupts(lines[first_small - 1], lines[first_small]):
        start = first_small
    return start if start else len(lines)


def _goes_on(above: Sequence[Line], line: Line) -> bool:
    """Return whether a line continues a paragraph of its size; then a number at its start is not a mark."""
    if not above or not is_same_size(above[-1].size, line.size) or ends_sentence(above[-1].text):
        return False
    end = max(each.end for each in above if is_same_size(each.size, line.size))
    return above[-1].end > end - MAX_FREE_END * line.size


def _goes_on_with_list(above: Sequence[Line], line: Line) -> bool:
    """Return whether a line is the next item of a numbered list, or of notes that begin further up."""
    marker = list_item_marker(line.text)
    if marker is None or marker.number < 2:
        return False
    before = (list_item_marker(each.text) for each in above if is_same_size(each.size, line.size))
    return any(each and each.number == marker.number - 1 for each in before)


def _interrupts(above: Line, line: Line) -> bool:
    """Return whether small text stands apart below a larger line that does not end a sentence."""
    if line.size > MAX_NOTE_SIZE * above.size:
        return False
    gap = (line.rect[1] - above.rect[3]) / line.size
    return gap > MIN_GAP and not ends_sentence(above.text) and not CAPTION.match(line.text)


def starts_note(line: Line) -> bool:
    """Return whether a line begins as a footnote does: with a raised figure, a number or a mark."""
    return is_raised_mark(line) or bool(_MARK.match(line.text))


def is_raised_mark(line: Line) -> bool:
    """Return whether a line begins with a raised or small mark."""
    first = line.pieces[0]
    if first.script == "super" and len(first.text) <= 3:
        return True
    return len(line.pieces) > 1 and len(first.text) <= 3 and first.style.size < 0.85 * line.size
