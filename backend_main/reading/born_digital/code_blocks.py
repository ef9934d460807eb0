"""Code blocks: monospaced lines, with the indents and the blank lines that the page shows."""

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median, median_low

from .document_profile import DocumentProfile
from .flow import Flow
from .lines import Line

MIN_BLANK_PITCH = 1.7
"""In usual distances of the block's lines: a larger distance is a blank line."""
MAX_BLANK_LINES = 2
MIN_NUMBERED_LINES = 3
MIN_LETTERS = 2
MAX_BLOCK_PITCH = 3.5
"""In sizes: a larger distance separates two code blocks."""
MAX_SHIFT = 0.6
"""In sizes: texts whose baselines differ by less are one line."""
FENCE = "```"
_ADDRESS = re.compile(r"^https?://\S+$|^\S+@\S+$")
_FENCE_IN_CODE = re.compile(r"`{3,}")


def is_code_line(line: Line, profile: DocumentProfile) -> bool:
    """Return whether a line is monospaced where running text is not."""
    return line.is_monospaced and not profile.is_monospaced


def is_inline_code(lines: Sequence[Line], first: int, last: int, flow: Flow) -> bool:
    """Return whether monospaced lines `first` to `last` are lines of a paragraph that inline code fills."""
    if last - first > 1:
        return False
    if first == last and _ADDRESS.search(lines[first].text):
        return True
    above = lines[first - 1] if first else None
    below = lines[last + 1] if last + 1 < len(lines) else None
    if above is not None and not above.is_monospaced and abs(flow.excess(above, lines[first])) < 0.1:
        return flow.is_full(above, lines[first]) and abs(above.start - lines[first].start) < lines[first].size
    return above is None and below is not None and flow.is_full(lines[last], below) and last == first


def code_markdown(lines: Sequence[Line]) -> str:
    """Return lines of code as a fenced block."""
    lines = without_line_numbers(_with_shifted_marks(lines))
    width = _letter_width(lines)
    left = min(line.start for line in lines)
    pitches = [below.baseline - above.baseline for above, below in pairwise(lines)]
    usual = median_low(pitches) if pitches else 0.0
    texts = [_text(lines[0], left, width)]
    for line, pitch in zip(lines[1:], pitches, strict=True):
        if pitch > MIN_BLANK_PITCH * usual:
            texts += [""] * min(MAX_BLANK_LINES, round(pitch / usual) - 1)
        texts.append(_text(line, left, width))
    code = "\n".join(texts)
    fence = max([FENCE, *(found + "`" for found in _FENCE_IN_CODE.findall(code))], key=len)
    return f"{fence}\n{code}\n{fence}"


def _with_shifted_marks(lines: Sequence[Line]) -> list[Line]:
    """Return lines with the marks that are raised or lowered in their line, such as an asterisk."""
    joined: list[Line] = []
    for line in lines:
        above = joined[-1] if joined else None
        if above and line.baseline - above.baseline < MAX_SHIFT * line.size:
            pieces = tuple(sorted((*above.pieces, *line.pieces), key=lambda piece: piece.left))
            start, end = min(above.start, line.start), max(above.end, line.end)
            joined[-1] = Line((*above.boxes, *line.boxes), pieces, start, end, above.is_from_right)
        else:
            joined.append(line)
    return joined


def _letter_width(lines: Sequence[Line]) -> float:
    widths = [
        (piece.right - piece.left) / len(piece.text)
        for line in lines
        for piece in line.pieces
        if len(piece.text) >= MIN_LETTERS
    ]
    return median(widths) if widths else 0.6 * lines[0].size


def _text(line: Line, left: float, width: float) -> str:
    """Return the text of a line with spaces as wide as its gaps."""
    text, end = "", left
    for piece in line.pieces:
        spaces = round((piece.left - end) / width)
        text += " " * max(spaces, int(bool(text) and piece.starts_word), 0) + piece.text
        end = piece.right
    return text


def without_line_numbers(lines: Sequence[Line]) -> Sequence[Line]:
    """Return lines without the numbers 1, 2, 3 … at their starts."""
    numbers = [line.pieces[0].text for line in lines]
    if len(lines) < MIN_NUMBERED_LINES or not all(map(str.isdigit, numbers)):
        return lines
    if any(int(below) != int(above) + 1 for above, below in pairwise(numbers)):
        return lines
    numbered = [line for line in lines if len(line.pieces) > 1]
    return [
        Line(line.boxes, line.pieces[1:], line.pieces[1].left, line.end, line.is_from_right)
        for line in numbered
    ]
