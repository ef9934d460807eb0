"""Barcodes of a page, as blocks with their value and symbology.

They are searched only where the options of the read ask for it: a page with many edges takes a second.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from ..control_characters import remove_controls
from .documents.document import PageImage
from .types import Block, Box, PageDone

SYMBOLOGIES = (
    *("QRCode", "MicroQRCode", "RMQRCode", "Aztec", "DataMatrix", "PDF417", "MicroPDF417", "MaxiCode"),
    *("Code128", "Code39", "Code93", "Codabar", "ITF", "EAN13", "EAN8", "UPCA", "UPCE"),
    *("DataBarOmni", "DataBarStk", "DataBarLtd", "DataBarExp", "DataBarExpStk"),
)
"""Those in use on documents. Others, such as those of film and of medicines, resemble stripes and tables."""
MAX_SEARCHED_PIXELS = 8_000_000
"""A4 at 300 dpi. Noise of this size takes 3 s, and the modules of a code are larger than a pixel there."""
MAX_BARCODES = 200
"""A sheet of labels has 189."""
GROUP_SEPARATOR, SHOWN_SEPARATOR = "\x1d", "\u241d"
"""GS1 codes separate their fields by a control character; its symbol stands for it."""


def with_barcodes(done: PageDone, page: PageImage) -> PageDone:
    """Return a finished page with a block for each barcode, before the first block below it."""
    blocks = list(done.blocks)
    for barcode in find_barcodes(page):
        blocks.insert(_place(blocks, _top(barcode)), barcode)
    return msgspec.structs.replace(done, blocks=blocks)


def find_barcodes(page: PageImage) -> list[Block]:
    """Return the barcodes of a page from top to bottom."""
    # Imported here, since most reads do not need them.
    import cv2
    import zxingcpp

    gray = cv2.cvtColor(page.pixels, cv2.COLOR_BGR2GRAY)
    scale = min(1.0, (MAX_SEARCHED_PIXELS / gray.size) ** 0.5)
    if scale < 1.0:
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    formats = zxingcpp.barcode_formats_from_str(",".join(SYMBOLOGIES))
    found = zxingcpp.read_barcodes(np.ascontiguousarray(gray), formats, text_mode=zxingcpp.TextMode.Plain)
    return sorted(_blocks(found[:MAX_BARCODES], scale), key=_top)


def _blocks(found: Sequence[Any], scale: float) -> Iterator[Block]:
    for code in found:
        value = remove_controls(code.text.replace(GROUP_SEPARATOR, SHOWN_SEPARATOR))
        if value:
            yield Block("barcode", _box(code.position, scale), value=value, format=code.format.name)


def _box(position: Any, scale: float) -> Box:
    """Return the upright rectangle around a code in pixels of the page."""
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    xs, ys = ([getattr(corner, axis) / scale for corner in corners] for axis in "xy")
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _place(blocks: Sequence[Block], top: float) -> int:
    below = (place for place, block in enumerate(blocks) if block.box and _top(block) > top)
    return next(below, len(blocks))


def _top(block: Block) -> float:
    return min(y for _, y in block.box) if block.box else 0.0
