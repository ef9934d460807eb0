"""Runs of text in one style, and cells of tables: what the blocks of `markup` consist of."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

_TAG_STYLES: dict[str, dict[str, Any]] = {
    **{tag: {"is_bold": True} for tag in ("b", "strong")},
    **{tag: {"is_italic": True} for tag in ("i", "em")},
    **{tag: {"is_struck": True} for tag in ("s", "del")},
    "code": {"is_code": True},
    "sup": {"script": "sup"},
    "sub": {"script": "sub"},
}


class TextRun(NamedTuple):
    """Piece of text in one style. A newline in its text is a line break."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_struck: bool = False
    is_code: bool = False
    script: str = ""
    """`sup` for a superscript, `sub` for a subscript."""
    href: str = ""
    """Address of a link."""
    latex: str = ""
    """LaTeX of a formula; `text` is its readable form."""
    is_displayed: bool = False
    """Whether it is a displayed formula."""
    image: str | None = None
    """Address of a picture, which may be empty; `text` is its caption."""


class MarkupCell(NamedTuple):
    """Cell of a table; one that spans rows or columns stands at its first ones."""

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    runs: tuple[TextRun, ...] = ()
    is_header: bool = False

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


class TagStyles:
    """Style of a text between HTML tags. A tag without its counterpart changes nothing for long."""

    def __init__(self) -> None:
        self.style = TextRun("")
        self._open: list[tuple[str, TextRun]] = []

    def open(self, tag: str) -> bool:
        """Begin the style of a tag; return False if the tag has none."""
        changes = _TAG_STYLES.get(tag)
        if changes is None:
            return False
        self._open.append((tag, self.style))
        self.style = self.style._replace(**changes)
        return True

    def close(self, tag: str) -> bool:
        """End the style of a tag; return False if the tag has none."""
        if self._open and self._open[-1][0] == tag:
            self.style = self._open.pop()[1]
        return tag in _TAG_STYLES


def merge_runs(runs: Sequence[TextRun]) -> tuple[TextRun, ...]:
    """Join neighbouring runs of one style."""
    merged: list[TextRun] = []
    for run in runs:
        is_text = run.image is None and not run.latex
        if merged and is_text and merged[-1]._replace(text="") == run._replace(text=""):
            merged[-1] = run._replace(text=merged[-1].text + run.text)
        elif run.text or not is_text:
            merged.append(run)
    return tuple(merged)


def is_from_right(text: str) -> bool:
    """Return whether the first letter with a direction is of a script from right to left."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    first = next((direction for direction in directions if direction in {"L", "R", "AL"}), "L")
    return first != "L"
