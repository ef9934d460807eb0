"""Barcodes of a page: their value, symbology and place, and only where the options ask for them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from backend_main.reading import Options, PageDone, barcodes, read
from backend_main.reading.documents.document import PageImage
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.types import Block, level_box
from tests.support.searchable_pdfs import overlap, rectangle_around

SIZE = (1000, 1400)
VALUES = {
    "QRCode": "https://example.org/facture?n=4711&text=früh",
    "DataMatrix": "small parts 0815",
    "Aztec": "train ticket",
    "PDF417": "boarding pass of a person",
    "Code128": "SHIP-2024-0001",
    "Code39": "PART 17",
    "EAN13": "4006381333931",
    "ITF": "00012345678905",
}


def _code(symbology: str, value: str) -> Image.Image:
    code = zxingcpp.create_barcode(value, zxingcpp.barcode_format_from_str(symbology))
    return Image.fromarray(np.array(code.to_image(scale=3, add_quiet_zones=False)))


def _page(*codes: tuple[Image.Image, tuple[int, int]], degrees: float = 0.0) -> Image.Image:
    page = Image.new("L", SIZE, 255)
    for code, place in codes:
        page.paste(code, place)
    return page.rotate(degrees, expand=True, fillcolor=255)


def _pixels(page: Image.Image) -> Pixels:
    return np.array(page.convert("RGB"), np.uint8)


def _found(page: Image.Image) -> list[Block]:
    return barcodes.find_barcodes(PageImage(1, _pixels(page), page.width, page.height))


def _barcodes(path: Path, options: Options) -> list[Block]:
    (done,) = (event for event in read(path, options) if isinstance(event, PageDone))
    return [block for block in done.blocks if block.type == "barcode"]


@pytest.mark.parametrize("symbology", VALUES)
def test_barcode_has_value_symbology_and_place(symbology: str) -> None:
    code = _code(symbology, VALUES[symbology])
    (found,) = _found(_page((code, (300, 500))))
    assert (found.type, found.value, found.format) == ("barcode", VALUES[symbology], symbology)
    assert found.box is not None
    assert overlap(rectangle_around(found.box), (300, 500, 300 + code.width, 500 + code.height)) >= 0.7


@pytest.mark.parametrize("degrees", [90, 180, 270, 20])
def test_turned_code_is_found(degrees: float) -> None:
    (found,) = _found(_page((_code("QRCode", "turned"), (300, 500)), degrees=degrees))
    assert found.value == "turned"


def test_code_on_a_large_page_is_found_at_its_place() -> None:
    page = _page((_code("QRCode", "on a plan"), (300, 500))).resize((4000, 5600), Image.Resampling.NEAREST)
    (found,) = _found(page)
    assert found.box is not None
    assert found.box[0] == pytest.approx((1200, 2000), abs=12)


def test_codes_are_ordered_from_top_to_bottom() -> None:
    codes = [(_code("QRCode", value), (x, y)) for value, x, y in (("b", 50, 900), ("a", 600, 100))]
    assert [block.value for block in _found(_page(*codes))] == ["a", "b"]


def test_control_characters_of_a_value_are_removed() -> None:
    (found,) = _found(_page((_code("QRCode", "a\x1b]52;c\x07\u202eb\nc\x1dd"), (100, 100))))
    assert found.value == "a]52;cb\nc\u241dd"


@pytest.mark.parametrize("period", [2, 3, 7])
def test_stripes_and_noise_are_not_codes(period: int) -> None:
    stripes = np.tile(np.uint8(255) * (np.arange(SIZE[0]) // period % 2 == 0), (SIZE[1], 1))
    noise = np.random.default_rng(period).integers(0, 256, (SIZE[1], SIZE[0]), dtype=np.uint8)
    for pixels in (stripes.astype(np.uint8), noise):
        assert _found(Image.fromarray(pixels)) == []


def test_number_of_codes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barcodes, "MAX_BARCODES", 2)
    codes = [(_code("QRCode", f"code {row}"), (100, 50 + 300 * row)) for row in range(4)]
    assert len(_found(_page(*codes))) == 2


def test_barcode_stands_before_the_first_block_below_it() -> None:
    above, below = (Block("paragraph", level_box(0, top, 100, top + 20)) for top in (10, 600))
    done = PageDone(1, 1, *SIZE, "", "", [], [], [above, Block("figure"), below])
    page = _page((_code("QRCode", "between"), (300, 300)))
    blocks = barcodes.with_barcodes(done, PageImage(1, _pixels(page), *SIZE)).blocks
    assert [block.type for block in blocks] == ["paragraph", "figure", "barcode", "paragraph"]


def test_read_finds_barcodes_only_where_the_options_ask(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    _page((_code("QRCode", "hello"), (300, 500))).save(path)
    assert _barcodes(path, Options(engine="dummy")) == []
    (found,) = _barcodes(path, Options(engine="dummy", barcodes=True))
    assert (found.type, found.value, found.span) == ("barcode", "hello", None)


def test_read_finds_barcodes_on_a_page_with_a_text_layer(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842), invariant=True)
    for row in range(5):
        canvas.drawString(50, 780 - 14 * row, "A line of an invoice that a program has printed.")
    canvas.drawImage(ImageReader(_code("QRCode", "printed")), 300, 300, 120, 120)
    canvas.save()
    path = tmp_path / "invoice.pdf"
    path.write_bytes(buffer.getvalue())
    (found,) = _barcodes(path, Options(engine="dummy", barcodes=True))
    assert found.value == "printed"
