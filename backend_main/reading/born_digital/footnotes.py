"""Footnotes: smaller text at the foot of a column that begins with a number or a mark."""

import re
from collections.abc import Sequence

from .document_profile import DocumentProfile
from .lines import Line

MAX_NOTE_SIZE = 0.93
"""In sizes of running text."""
MIN_TOP = 0.4
"""Share of the page's height above the first footnote."""
_MARK = re.compile(r"^(?:\d{1,3}|[*†‡§¶‖]{1,3}|[a-z])[.)]?(?:\s|(?=[A-Z“\"(]))")


def notes_start(lines: Sequence[Line], profile: DocumentProfile, page_height: float) -> int:
    """Return the number of the first line of footnotes, the count of lines if there are none."""
    start = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if profile.ratio(line.size) > MAX_NOTE_SIZE or line.rect[1] < MIN_TOP * page_height:
            break
        if starts_note(line):
            start = number
    return start if start else len(lines)


def starts_note(line: Line) -> bool:
    """Return whether a line begins as a footnote does: with a raised figure, a number or a mark."""
    first = line.pieces[0]
    if first.script == "super" and len(first.text) <= 3:
        return True
    is_raised = len(line.pieces) > 1 and len(first.text) <= 3 and first.style.size < 0.85 * line.size
    return is_raised or bool(_MARK.match(line.text))
