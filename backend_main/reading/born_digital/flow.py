"""Flow of a column: its edges, the distances of its lines, and where lines of a paragraph end.

Three rules join or separate two lines. A distance above the usual one separates paragraphs. A line that is
indented or outdented against its paragraph begins another one. If the first word of a line had fitted into
the line above, that line was ended on purpose: at the end of a paragraph, a verse, or a line of an address.
"""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from statistics import median

from ..layout.short_lines import LineSpan, are_aligned_at_end, are_label_lines, starts_label
from ..layout.text_joining import ends_sentence
from .document_profile import DocumentProfile, is_same_size
from .lines import Line, continues_last_box, wraps

SMALL_GAP, PARAGRAPH_GAP, MAX_TALL_GAP = 0.08, 0.25, 0.8
"""In sizes above the usual distance: a gap that separates lines if their text says so, one that always does,
and one that raised text or a formula in the line may explain."""
MAX_LINE_PITCH = 1.6
"""In sizes: without full lines to measure, a larger distance is one between paragraphs."""
MIN_FULL_LINES = 3
MIN_EDGE_LINES, MAX_OVERHANG = 5, 1.5
"""In lines and sizes: of as many lines, one that is longer than the others by more does not show the edge."""
MIN_INDENT, MAX_INDENT = 0.8, 6.0
"""In sizes: range of the indents of first lines, and of hanging indents."""
SAME_EDGE = 0.5
"""In sizes: ends of lines that differ by less are the same."""
MAX_CENTER_SHIFT = 0.5
"""In sizes: centres of centred lines are as near."""
MIN_CENTERED_LINES = 3
"""Two lines, the first of which is indented, may have one centre by chance."""
MIN_SHORTNESS = 0.25
"""Share of the column's width that a line in flowing text leaves empty if it ends on purpose."""
MAX_LOWER_SPACE, MAX_PROSE_SPACE = (0.2, 0.0), (1.0, 0.2)
"""Share of the column's width that a line leaves empty although it goes on: if a small letter follows, and if
not; in text of any kind, and in prose."""
WINDOW = 3
"""Lines above and below whose ends show the edge, for text beside a figure."""


class Flow:
    """Edges of a column and usual distances of its lines."""

    def __init__(self, lines: Sequence[Line], profile: DocumentProfile) -> None:
        self._profile = profile
        self.start = min(line.start for line in lines)
        self.end = _edge(lines)
        self._edges = _edges_by_size(lines)
        pairs = [(above, line) for above, line in pairwise(lines) if is_same_size(above.size, line.size)]
        full = [_pitch(above, line) for above, line in pairs if self.is_full(above, line)]
        full = [pitch for pitch in full if pitch < 2 * MAX_LINE_PITCH]
        self._pitch = median(full) if len(full) >= MIN_FULL_LINES else 0.0
        self._least = min((pitch for pair in pairs if (pitch := _pitch(*pair)) > 0.5), default=0.0)

    def excess(self, above: Line, line: Line) -> float:
        """Return by how much the distance of two lines exceeds the usual one, in sizes."""
        return _pitch(above, line) - self._usual_pitch(min(above.size, line.size))

    def _usual_pitch(self, size: float) -> float:
        if self._pitch:
            return self._pitch
        if known := self._profile.pitch(size):
            return known
        return min(max(self._least, 1.0), MAX_LINE_PITCH)

    def is_full(self, above: Line, line: Line) -> bool:
        """Return whether the first word of a line would not have fitted into the line above."""
        return wraps(above, line, self.edge(above))

    def edge(self, line: Line) -> float:
        """Return where full lines of the size of a line end."""
        return next((edge for size, edge in self._edges.items() if is_same_size(size, line.size)), self.end)

    def is_nearly_full(self, above: Line, line: Line, max_space: tuple[float, float]) -> bool:
        """Return whether a line is full, or leaves no more than a share of the column's width empty.

        Args:
            max_space: share if the line below begins with a small letter, and if not.
        """
        share = max_space[0] if line.starts_lower else max_space[1]
        space = self.edge(above) - above.end
        return self.is_full(above, line) or (
            space < share * (self.end - self.start) and not above.has_wide_gap
        )

    def indent(self, line: Line) -> float:
        """Return the distance of a line's start from the column's, in sizes."""
        return (line.start - self.start) / line.size

    def fills(self, line: Line) -> bool:
        """Return whether a line reaches from edge to edge of the column."""
        slack = SAME_EDGE * line.size
        return line.start - self.start < slack and self.end - line.end < slack


def _edge(lines: Sequence[Line]) -> float:
    """Return where full lines end. Code, and a single line that is too long, do not count."""
    text = [line for line in lines if not line.is_monospaced and not line.has_wide_gap] or lines
    ends = sorted((line.end for line in text), reverse=True)
    if len(ends) >= MIN_EDGE_LINES and ends[0] - ends[1] > MAX_OVERHANG * text[0].size:
        return ends[1]
    return ends[0]


def _edges_by_size(lines: Sequence[Line]) -> dict[float, float]:
    """Return the edges of the sizes that have enough lines: a note may be wider than the text below it."""
    by_size: dict[float, list[Line]] = {}
    for line in lines:
        size = next((known for known in by_size if is_same_size(known, line.size)), line.size)
        by_size.setdefault(size, []).append(line)
    return {size: _edge(same) for size, same in by_size.items() if len(same) >= MIN_EDGE_LINES}


def is_centered_run(run: Sequence[Line]) -> bool:
    """Return whether lines of different widths have one centre."""
    return len(run) > 1 and all(_are_centered(above, line) for above, line in pairwise(run))


def _pitch(above: Line, line: Line) -> float:
    return (line.baseline - above.baseline) / max(min(above.size, line.size), 1e-6)


def has_drop_cap(line: Line) -> bool:
    return line.pieces[0].style.size > 1.6 * line.size


# --- lines of a paragraph ----------------------------------------------------------------------------------


def continues_paragraph(run: Sequence[Line], line: Line, below: Line | None, flow: Flow) -> bool:
    """Return whether a line at the usual distance belongs to the paragraph above, by its start.

    Args:
        run: lines of the paragraph so far.
        below: the line below, if there is one.
    """
    above, first = run[-1], run[0]
    step = (line.start - above.start) / line.size
    if _are_centered(above, line):
        return True
    if step > MIN_INDENT:
        if line.starts_lower and flow.is_full(above, line) and not ends_sentence(above.text):
            return True  # beside a figure
        return len(run) == 1 and _is_hanging(above, line, below, flow)
    is_hanging = len(run) > 1 and run[1].start - first.start > MIN_INDENT * line.size
    if step < -MIN_INDENT:
        if len(run) == 1:
            return -step < MAX_INDENT
        return not is_hanging or has_drop_cap(first)
    is_indented = MIN_INDENT < flow.indent(line) < MAX_INDENT and len(run) == 1
    return not (is_indented and ends_sentence(above.text) and not flow.is_full(above, line))


def _is_hanging(above: Line, line: Line, below: Line | None, flow: Flow) -> bool:
    """Return whether an indented second line shows a hanging indent, and not the next paragraph."""
    if has_drop_cap(above) or continues_last_box(above, line):
        return True
    if not flow.is_full(above, line):
        return False
    is_inside = not ends_sentence(above.text)
    return is_inside or below is None or below.start - above.start > MIN_INDENT * line.size


def _are_centered(above: Line, line: Line) -> bool:
    shift = abs((above.start + above.end) - (line.start + line.end)) / 2
    is_inside = min(abs(above.start - line.start), abs(above.end - line.end)) > MIN_INDENT * line.size
    return shift < MAX_CENTER_SHIFT * line.size and is_inside


# --- lines that stay ---------------------------------------------------------------------------------------


def paragraphs_of(run: Sequence[Line], flow: Flow, *, is_prose: bool = False) -> list[list[list[Line]]]:
    """Divide lines at the usual distance into paragraphs of kept lines, each of the lines to be joined.

    Args:
        is_prose: whether the lines cannot be a verse or an address, as those of a list item.
    """
    is_joined = _joined(run, flow, max_space=MAX_PROSE_SPACE if is_prose else MAX_LOWER_SPACE)
    paragraphs = [[[run[0]]]]
    is_flowing = 2 * sum(is_joined) >= len(is_joined)
    for (above, line), joins in zip(pairwise(run), is_joined, strict=True):
        if joins:
            paragraphs[-1][-1].append(line)
        elif _starts_paragraph(above, line, is_flowing=is_flowing and len(is_joined) > 1):
            paragraphs.append([[line]])
        else:
            paragraphs[-1].append([line])
    return paragraphs


def _starts_paragraph(above: Line, line: Line, *, is_flowing: bool) -> bool:
    """Return whether a line behind one that was ended on purpose begins a paragraph."""
    if is_flowing and ends_sentence(above.text) and not line.starts_lower:
        return True
    return not above.is_bold and _has_run_in_heading(line) and not above.pieces[-1].style.font.is_bold


def _has_run_in_heading(line: Line) -> bool:
    """Return whether a line begins with bold words that end with a colon or full stop, and goes on."""
    bold = list(takewhile(lambda piece: piece.style.font.is_bold, line.pieces))
    return 0 < len(bold) < len(line.pieces) and bold[-1].text.endswith((".", ":"))


def _joined(run: Sequence[Line], flow: Flow, *, max_space: tuple[float, float]) -> list[bool]:
    """Return for each line but the first whether it is joined to the one above."""
    pairs = list(pairwise(run))
    full = [flow.is_nearly_full(above, line, max_space) for above, line in pairs]
    if is_centered_run(run) and len(run) >= MIN_CENTERED_LINES:
        # The space at both ends of a line counts.
        width = max(line.end - line.start for line in run)
        full = [wraps(above, line, above.start + width) for above, line in pairs]
    elif 2 * sum(full) < len(full) and len(run) > WINDOW:
        # Narrower than the column: a quote, or text beside a figure.
        edge = max(line.end for line in run)
        own = [wraps(above, line, edge) for above, line in pairs]
        is_text = any(not starts_label(line.text) for line in run[1:])
        lower = sum(line.starts_lower for line in run[1:])
        if (all(own) and is_text) or (2 * sum(own) >= len(own) and lower > 1):
            full = own
    if 2 * sum(full) < len(full) or _are_labels(run, flow):
        goes_on = [line.starts_lower and not starts_label(line.text) for line in run[1:]]
        return [fits and is_rest for fits, is_rest in zip(full, goes_on, strict=True)]
    return [is_full or not _ends_on_purpose(run, number, flow) for number, is_full in enumerate(full)]


def _are_labels(run: Sequence[Line], flow: Flow) -> bool:
    """Return whether lines are those of an address, or names and dates that end at one edge."""
    size = run[0].size
    spans = [LineSpan(line.text, line.start / size, line.end / size) for line in run]
    return are_label_lines(spans, _width(run, flow) / size) or are_aligned_at_end(spans)


def _width(run: Sequence[Line], flow: Flow) -> float:
    """Return the width of the column; that of the lines themselves if they are far from its start."""
    start = min(line.start for line in run)
    if start - flow.start > MAX_INDENT * run[0].size:
        return max(line.end for line in run) - start
    return flow.edge(run[0]) - flow.start


def _ends_on_purpose(run: Sequence[Line], number: int, flow: Flow) -> bool:
    """Return whether a line of flowing text was ended before it was full."""
    above, line = run[number], run[number + 1]
    if line.starts_lower and not above.has_wide_gap:
        return False
    edge = max(other.end for other in run[max(0, number - WINDOW) : number + WINDOW + 1])
    if wraps(above, line, edge):
        return False
    is_short = flow.edge(above) - above.end > MIN_SHORTNESS * (flow.end - flow.start)
    return is_short or ends_sentence(above.text)
