"""Documents of blocks that become HTML, Markdown, and a list of words.

A printed document has a known text: `html` is what a browser prints, `markdown` is what a reader must return.
Texts must not contain characters that Markdown escapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from tests.support.markdown_words import difference, markdown_words

MARKDOWN_MARKS = {"bold": "**", "italic": "*", "code": "`"}
HTML_TAGS = {"bold": "b", "italic": "i", "code": "code", "sup": "sup", "sub": "sub"}
SMALL_CAPITALS = "small-caps"
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='160' height='90'%3E"
    "%3Crect width='160' height='90' fill='%2388aacc'/%3E"
    "%3Ccircle cx='60' cy='50' r='30' fill='%23335577'/%3E%3C/svg%3E"
)


@dataclass(frozen=True)
class Span:
    """Text with one mark (`SMALL_CAPITALS` or a key of `HTML_TAGS`), or with a link, or with neither."""

    text: str
    mark: str | None = None
    href: str | None = None

    def html(self) -> str:
        inner = escape(self.text)
        if self.href:
            return f'<a href="{escape(self.href)}">{inner}</a>'
        if self.mark == SMALL_CAPITALS:
            return f'<span style="font-variant:{SMALL_CAPITALS}">{inner}</span>'
        return f"<{HTML_TAGS[self.mark]}>{inner}</{HTML_TAGS[self.mark]}>" if self.mark else inner

    def markdown(self) -> str:
        text = self.plain()
        if self.mark == SMALL_CAPITALS:
            return text
        if self.href:
            return f"[{text}]({self.href})"
        if self.mark in MARKDOWN_MARKS:
            return f"{MARKDOWN_MARKS[self.mark]}{text}{MARKDOWN_MARKS[self.mark]}"
        return f"<{self.mark}>{text}</{self.mark}>" if self.mark else text

    def plain(self) -> str:
        """Return the text without marks and soft hyphens."""
        return self.text.replace("\u00ad", "")


Text = str | Sequence[Span]


def spans(text: Text) -> Sequence[Span]:
    return [Span(text)] if isinstance(text, str) else text


def _html(text: Text) -> str:
    return "".join(span.html() for span in spans(text))


def _markdown(text: Text) -> str:
    return "".join(span.markdown() for span in spans(text))


def plain(text: Text) -> str:
    """Return the text without marks and soft hyphens."""
    return "".join(span.plain() for span in spans(text))


@dataclass(frozen=True)
class Heading:
    text: Text
    level: int = 1

    def html(self) -> str:
        return f"<h{self.level}>{_html(self.text)}</h{self.level}>"

    def markdown(self) -> str:
        return f"{'#' * self.level} {_markdown(self.text)}"

    def texts(self) -> Iterable[str]:
        yield plain(self.text)


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `css_class` selects its look, such as a drop cap."""

    text: Text
    css_class: str = ""

    def html(self) -> str:
        return f'<p class="{self.css_class}">{_html(self.text)}</p>'

    def markdown(self) -> str:
        return _markdown(self.text)

    def texts(self) -> Iterable[str]:
        yield plain(self.text)


@dataclass(frozen=True)
class Quote:
    text: Text

    def html(self) -> str:
        return f"<blockquote>{_html(self.text)}</blockquote>"

    def markdown(self) -> str:
        return f"> {_markdown(self.text)}"

    def texts(self) -> Iterable[str]:
        yield plain(self.text)


@dataclass(frozen=True)
class Code:
    """Program text; its lines and indentation are kept."""

    text: str

    def html(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"

    def markdown(self) -> str:
        return f"```\n{self.text}\n```"

    def texts(self) -> Iterable[str]:
        yield self.text


@dataclass(frozen=True)
class Items:
    """A list. An item is a text, or a pair of a text and the list under it."""

    items: Sequence[Text | tuple[Text, Items]]
    ordered: bool = False

    def html(self) -> str:
        tag = "ol" if self.ordered else "ul"
        parts = (f"<li>{_html(text)}{below.html() if below else ''}</li>" for text, below in self.pairs())
        return f"<{tag}>{''.join(parts)}</{tag}>"

    def markdown(self) -> str:
        lines = []
        for number, (text, below) in enumerate(self.pairs(), 1):
            mark = f"{number}. " if self.ordered else "- "
            lines.append(mark + _markdown(text))
            if below:
                lines += [" " * len(mark) + line for line in below.markdown().split("\n")]
        return "\n".join(lines)

    def texts(self) -> Iterable[str]:
        for number, (text, below) in enumerate(self.pairs(), 1):
            yield f"{number}. {plain(text)}" if self.ordered else plain(text)
            if below:
                yield from below.texts()

    def pairs(self) -> Iterable[tuple[Text, Items | None]]:
        for item in self.items:
            if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], Items):
                yield item[0], item[1]
            else:
                yield item, None  # type: ignore[misc]  # the pair above is the only other kind


@dataclass(frozen=True)
class Cell:
    text: str
    columns: int = 1
    rows: int = 1

    def html(self, tag: str) -> str:
        names = (("colspan", self.columns), ("rowspan", self.rows))
        attributes = "".join(f' {name}="{count}"' for name, count in names if count > 1)
        return f"<{tag}{attributes}>{escape(self.text)}</{tag}>"


@dataclass(frozen=True)
class Table:
    """A table whose first row is its header. Cells that span make it an HTML table in Markdown."""

    rows: Sequence[Sequence[str | Cell]]
    css_class: str = ""

    def html(self) -> str:
        return f'<table class="{self.css_class}">{self._html_rows()}</table>'

    def markdown(self) -> str:
        if any(cell.columns > 1 or cell.rows > 1 for row in self._cells() for cell in row):
            return f"<table>{self._html_rows()}</table>"
        head, *rest = ([cell.text for cell in row] for row in self._cells())
        lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rest)]
        return "\n".join(lines)

    def texts(self) -> Iterable[str]:
        for row in self._cells():
            for cell in row:
                yield cell.text

    def _html_rows(self) -> str:
        rows = ("".join(cell.html("th" if n == 0 else "td") for cell in row) for n, row in self._numbered())
        return "".join(f"<tr>{row}</tr>" for row in rows)

    def _numbered(self) -> Iterable[tuple[int, list[Cell]]]:
        return enumerate(self._cells())

    def _cells(self) -> Iterable[list[Cell]]:
        for row in self.rows:
            yield [Cell(cell) if isinstance(cell, str) else cell for cell in row]


@dataclass(frozen=True)
class Figure:
    """A picture without text, with its caption below it."""

    caption: str

    def html(self) -> str:
        return f'<figure><img src="{PICTURE}"><figcaption>{escape(self.caption)}</figcaption></figure>'

    def markdown(self) -> str:
        return f"![]()\n\n{self.caption}"

    def texts(self) -> Iterable[str]:
        yield self.caption


@dataclass(frozen=True)
class Raw:
    """HTML whose Markdown is given, for what the other blocks cannot say."""

    source: str
    result: str

    def html(self) -> str:
        return self.source

    def markdown(self) -> str:
        return self.result

    def texts(self) -> Iterable[str]:
        yield self.result


@dataclass(frozen=True)
class Group:
    """Blocks in an element of their own, such as a part of the page with two columns."""

    blocks: Sequence[Block]
    css_class: str

    def html(self) -> str:
        return f'<div class="{self.css_class}">{"".join(block.html() for block in self.blocks)}</div>'

    def markdown(self) -> str:
        return "\n\n".join(block.markdown() for block in self.blocks)

    def texts(self) -> Iterable[str]:
        for block in self.blocks:
            yield from block.texts()


Block = Heading | Paragraph | Quote | Code | Items | Table | Figure | Raw | Group


@dataclass(frozen=True)
class PrintedDocument:
    """Blocks in reading order with a style sheet. `furniture` is HTML that Markdown leaves out."""

    blocks: Sequence[Block]
    css: str = ""
    language: str = "en"
    direction: str = "ltr"
    furniture: str = ""

    def html(self) -> str:
        body = self.furniture + "\n".join(block.html() for block in self.blocks)
        return (
            f'<!doctype html><html lang="{self.language}" dir="{self.direction}"><meta charset="utf-8">'
            f"<title>Document</title><style>{self.css}</style><body>{body}</body></html>"
        )

    def markdown(self) -> str:
        return "\n\n".join(block.markdown() for block in self.blocks) + "\n"

    @property
    def has_small_capitals(self) -> bool:
        """Whether the case of some letters is not visible on paper; PDFs have it as each program likes."""
        return f"font-variant:{SMALL_CAPITALS}" in self.html()

    def words(self) -> list[str]:
        """Return the words in reading order, without marks of Markdown."""
        words = [word for block in self.blocks for text in block.texts() for word in text.split()]
        return words if self.is_spaced else list("".join(words))

    @property
    def is_spaced(self) -> bool:
        """Whether the language separates words by spaces; otherwise, each character counts as a word."""
        return self.language != "ja"

    def difference(self, markdown: str) -> list[str]:
        """Return what has changed in the words of Markdown, such as `-lost words` and `+surplus words`."""
        words = markdown_words(markdown)
        after = words if self.is_spaced else list("".join(words))
        return difference(self.words(), after, ignores_case=self.has_small_capitals)
