"""Places of lines and words in the text of a page, in code points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....reading.types import Line, Word
from ...exports.document import ExportPage


class PlacedWord(NamedTuple):
    """Word with its place; the length is 0 if the text does not contain it as it is."""

    word: Word
    offset: int
    length: int


class PlacedLine(NamedTuple):
    """Line with its place and those of its words."""

    line: Line
    offset: int
    length: int
    words: list[PlacedWord]


def places_in_lines(lines: Sequence[Line]) -> Iterator[PlacedLine]:
    """Yield the lines of a text that is their texts, one below the other."""
    start = 0
    for line in lines:
        words = [PlacedWord(word, start + word.start, len(word.text)) for word in line.words]
        yield PlacedLine(line, start, len(line.text), words)
        start += len(line.text) + 1


def places_in_markdown(page: ExportPage, lines: Sequence[Line]) -> Iterator[PlacedLine]:
    """Yield lines of a page with the places at which their words are found in its Markdown, in order.

    A word that a line break divides, or that has escaped characters, is not found. On a page that a person
    corrected, none is: the places are those of the Markdown as it was read.
    """
    for line in lines:
        first, last = (line.span if page.as_read is None else None) or (0, 0)
        part, at, words = page.markdown[first:last], 0, list[PlacedWord]()
        for word in line.words:
            place = part.find(word.text, at)
            length = 0 if place < 0 else len(word.text)
            at = at if place < 0 else place + length
            words.append(PlacedWord(word, first + at - length, length))
        yield PlacedLine(line, first, last - first, words)
