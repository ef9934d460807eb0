"""Pictures of figures in a page's Markdown, by the option `images`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from ...reading.types import Box
from .document import ExportDocument, ExportPage

# A figure as the reading writes it: its caption, which has escaped brackets only, and no address.
_FIGURE = re.compile(r"^!\[((?:[^\[\]\\\n]|\\.)*)\]\(\)$", re.MULTILINE)
_MEDIA_TYPES = {b"\x89PNG": "image/png"}


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
            yield _data_address(document, page.number, block.box)


def _data_address(document: ExportDocument, number: int, box: Box) -> str:
    picture = document.parts.figure(number, box)
    media_type = _MEDIA_TYPES.get(picture[:4], "image/jpeg")
    return f"data:{media_type};base64,{base64.b64encode(picture).decode()}"
