r"""Removal of emphasis marks in linear time, as the regular expression `(marks)(?=\S)(.+?)(?<=\S)\1` does it.

The expression searches the rest of the line for each mark that nothing closes: 50 KB of `*a ` took minutes.
Here each kind of mark is searched once.
"""

import re
from collections.abc import Sequence
from functools import partial


class EmphasisMarks:
    """Marks that open and close emphasis.

    Args:
        marks: the longer ones first, of those that begin with the same character.
        opening: pattern without width that has to match before an opening mark.
        closing: pattern that has to match after a closing one.
    """

    def __init__(self, marks: Sequence[str], *, opening: str, closing: str) -> None:
        self._marks = marks
        self._start = re.compile(f"{opening}[{''.join(sorted({mark[0] for mark in marks}))}]")
        self._closing = {mark: re.compile(rf"(?<=\S){re.escape(mark)}{closing}") for mark in marks}

    def remove(self, line: str) -> str:
        """Return a line without the marks that stand around text. Marks inside of that text stay."""
        parts: list[str] = []
        place = copied = 0
        closers = {mark: partial(_NextMatch(pattern, line).start) for mark, pattern in self._closing.items()}
        while found := self._start.search(line, place):
            place = found.start()
            for mark in self._marks:
                first = place + len(mark)
                if not (line.startswith(mark, place) and line[first : first + 1].strip()):
                    continue
                if (end := closers[mark](first + 1)) is not None:
                    parts += [line[copied:place], line[first:end]]
                    place = copied = end + len(mark)
                    break
            else:
                place += 1
        return "".join([*parts, line[copied:]])


class _NextMatch:
    """Start of the next match of a pattern, searched from places that only grow."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._pattern = pattern
        self._text = text
        self._start: int | None = 0

    def start(self, place: int) -> int | None:
        """Return the start of the first match from `place` on; None if there is none."""
        if self._start is not None and self._start < place:
            found = self._pattern.search(self._text, place)
            self._start = found.start() if found else None
        return self._start
