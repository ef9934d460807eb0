"""Documents to export, with hand-made pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from backend_main.core.exports.document import (
    ExportDocument,
    ExportOptions,
    ExportPage,
    NoOriginalParts,
)
from backend_main.core.exports.formats import FORMATS
from backend_main.reading.output.plain_text import to_plain_text
from backend_main.reading.types import Block, Box, Line
from backend_main.reading.words import even_words

MARKDOWN = r"""# A **bold** title & more

One two \*star\* a<sup>2</sup> and $x^2$ at [a site](https://example.org/).

7. seven
8. eight
    - [x] ticked
    - [ ] empty

> Note by Jane Doe

| Name | Sum |
|---|---|
| Apple | 1.234,56 EUR |
| =SUM(A1) | **3** |

<table>
<tr><th colspan="2">Head</th></tr>
<tr><td rowspan="2">left &lt; 5</td><td>b</td></tr>
<tr><td>c</td></tr>
</table>

$$\frac{a}{b}$$

![Figure 1: Lake]()

```
code(1)
```

שלום עולם
"""
LINES = (
    "A bold title & more",
    "One two *star* a2 and x^2 at a site.",
    "7. seven",
    "8. eight",
    "Note by Jane Doe",
    "שלום עולם",
)
PAGE_WIDTH, PAGE_HEIGHT = 800, 1000


def slanted_box(row: int) -> Box:
    """Return the box of a line that falls by 4 pixels over 400."""
    top = 20.0 * row
    return ((10, top), (410, top + 4), (410, top + 16), (10, top + 12))


def export_line(text: str, row: int = 0, *, has_words: bool = True, confidence: float | None = 0.9) -> Line:
    box = slanted_box(row)
    words = even_words(text, box, confidence) if has_words else ()
    return Line(1, text, text, box, confidence, words=words)


def export_page(
    markdown: str = MARKDOWN,
    lines: Sequence[Line] | None = None,
    *,
    number: int = 1,
    blocks: Sequence[Block] = (),
) -> ExportPage:
    own = [export_line(text, row) for row, text in enumerate(LINES)] if lines is None else lines
    text = to_plain_text(markdown)
    return ExportPage(number, PAGE_WIDTH, PAGE_HEIGHT, markdown, text, own, blocks)


def export_document(pages: Sequence[ExportPage] | None = None, **fields: Any) -> ExportDocument:
    """Return a document with these pages, by default with one that has every kind of block."""
    own = [export_page()] if pages is None else pages
    return lazy_document(lambda: iter(own), tuple(page.number for page in own), **fields)


def lazy_document(
    pages: Callable[[], Iterator[ExportPage]], numbers: tuple[int, ...], **fields: Any
) -> ExportDocument:
    values = {
        "filename": "Brief & Co.pdf",
        "content_type": "application/pdf",
        "page_count": len(numbers),
        "open_original": lambda: nullcontext(Path("unused")),
        "parts": NoOriginalParts(),
        "options": ExportOptions(),
    }
    return ExportDocument(page_numbers=numbers, pages=pages, **values | fields)


def exported(document: ExportDocument, name: str) -> bytes:
    return b"".join(FORMATS[name].write(document))
