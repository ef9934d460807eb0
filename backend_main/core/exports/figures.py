"""Pictures of figures in a page's Markdown, by the option `images`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from ...reading.documents.page_jpeg import Area, area_of
from .document import ExportDocument, ExportPage

# A figure as the reading writes it: its caption, which has escaped brackets only, and no address.
_FIGURE = re.compile(r"^!\[((?:[^\[\]\\\n]|\\.)*)\]\(\)$", re.MULTILINE)


def with_pictures(page: ExportPage, document: ExportDocument) -> str:
    """Return the Markdown of a page, in which each figure with a box has the address of its picture."""
    if document.options.images == "none" or "![" not in page.markdown:
        return page.markdown
    addresses = _addresses(page, document)
    return _FIGURE.sub(lambda found: f"![{found[1]}]({next(addresses, '')})", page.markdown)


def _addresses(page: ExportPage, document: ExportDocument) -> Iterator[str]:
    """Yield the address of each figure that is in the Markdown, in its order."""
    figures = [block for block in page.blocks if block.type == "figure"]
    for number, block in enumerate(figures, 1):
        if block.span is None:
            continue
        if block.box is None:
            yield ""
        elif document.options.images == "link":
            yield document.figure_address(page.number, number)
        else:
            yield _data_address(document, page.number, area_of(block.box, page.width, page.height))


def _data_address(document: ExportDocument, number: int, area: Area) -> str:
    picture = document.parts.figure(number, area)
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
