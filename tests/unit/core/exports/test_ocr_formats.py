"""hOCR and ALTO: boxes and confidences of words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from backend_main.core.exports.correction import corrected
from backend_main.core.exports.document import ExportOptions, ExportPage
from backend_main.reading.types import Block, Line
from tests.support import export_documents
from tests.support.export_documents import export_document, export_line, export_page, exported

SCHEMAS = Path(export_documents.__file__).parent / "alto"
ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def page() -> ExportPage:
    """Return a page with a heading, two paragraphs of which no block has one, furniture, and turned text."""
    turned = Line(1, "turned text", "", ((700, 900), (700, 500), (720, 500), (720, 900)), 0.5)
    header = Line(1, "The Times", "", ((10, 2), (90, 2), (90, 12), (10, 12)), 0.8, role="header")
    lines = [export_line("A title"), header, export_line("Two & words", 3, confidence=None), turned]
    lines += [Line(1, "no box", "no box"), export_line(" ", 5, has_words=False), export_line("你好", 6)]
    blocks = [
        Block("page_header", lines=(1,)),
        Block("heading", lines=(0,)),
        Block("paragraph", lines=(2, 3, 99)),
    ]
    return export_page(lines=lines, blocks=blocks)


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    places = {"http://www.w3.org/1999/xlink": str(SCHEMAS / "xlink.xsd")}
    return xmlschema.XMLSchema(str(SCHEMAS / "alto-4-4.xsd"), locations=places, allow="local")


def alto_of(*pages: ExportPage, **fields: object) -> ET.Element:
    return ET.fromstring(exported(export_document(list(pages) or [page()], **fields), "alto"))


def hocr_of(*pages: ExportPage, **fields: object) -> ET.Element:
    return ET.fromstring(exported(export_document(list(pages) or [page()], **fields), "hocr"))


def test_alto_is_valid(schema: xmlschema.XMLSchema) -> None:
    pages = [page(), export_page("", [], number=2), export_page("<\x00&\ufffe>", number=3)]
    document = export_document(pages, languages=("de",), engine="rapid", filename="a<&\x01>.png")
    schema.validate(exported(document, "alto").decode())


def test_alto_has_words_with_places_and_confidences() -> None:
    words = alto_of().findall(f".//{ALTO}String")
    assert [word.get("CONTENT") for word in words][:4] == ["The", "Times", "A", "title"]
    title = words[3]
    assert (title.get("WC"), title.get("VPOS"), title.get("HEIGHT")) == ("0.90", "1", "15")
    assert 10 < int(title.get("HPOS", "")) < int(title.get("HPOS", "")) + int(title.get("WIDTH", "")) <= 410
    assert next(word for word in words if word.get("CONTENT") == "&").get("WC") is None
    assert len({word.get("ID") for word in words}) == len(words)


def test_alto_has_names_of_file_and_blocks() -> None:
    alto = alto_of()
    assert alto.findtext(f".//{ALTO}fileName") == "Brief & Co.pdf"
    assert [block.get("TAGREFS") for block in alto.iter(f"{ALTO}TextBlock")][:3] == [
        "type_page_header",
        "type_heading",
        None,
    ]


def test_alto_chinese_words_have_no_space_between() -> None:
    (line,) = alto_of(export_page(lines=[export_line("你好 世")])).iter(f"{ALTO}TextLine")
    tags = [element.tag.removeprefix(ALTO) for element in line]
    assert tags == ["Shape", "String", "String", "SP", "String"]


def test_hocr_has_areas_lines_and_words() -> None:
    hocr = hocr_of(languages=("de",))
    found = [element.get("class") for element in hocr.iter() if element.get("class")]
    assert found[:6] == ["ocr_page", "ocr_carea", "ocr_par", "ocr_header", "ocrx_word", "ocrx_word"]
    assert hocr.get("lang") == "de"
    assert {meta.get("name") for meta in hocr.iter(f"{XHTML}meta")} >= {"ocr-system", "ocr-capabilities"}
    ids = [element.get("id") for element in hocr.iter() if element.get("id")]
    assert len(set(ids)) == len(ids)


def test_hocr_is_read_by_the_tools_for_it(tmp_path: Path) -> None:
    lines = [export_line("A title", 1), export_line("你好", 3), export_line("Two & words", 5)]
    path = tmp_path / "page.html"
    path.write_bytes(exported(export_document([export_page(lines=lines)]), "hocr"))
    tools = Path(sys.executable).parent
    checked = subprocess.run([tools / "hocr-check", path], capture_output=True, text=True, check=True)
    assert "not ok" not in checked.stderr
    assert "ocr_line  2 in an ocr_page" in checked.stderr
    read = subprocess.run([tools / "hocr-lines", path], capture_output=True, text=True, check=True)
    assert read.stdout.splitlines() == ["A title", "你好", "Two & words"]


def titles(hocr: ET.Element, kind: str) -> list[str]:
    return [element.get("title", "") for element in hocr.iter() if element.get("class") == kind]


def test_hocr_words_lie_inside_their_line() -> None:
    (line,) = hocr_of(export_page(lines=[export_line("Two words", 3)])).iter(f"{XHTML}p")
    (box,) = [child.get("title", "") for child in line]
    left, top, right, bottom = map(int, re.findall(r"\d+", box)[:4])
    assert (left, top, right, bottom) == (10, 60, 410, 76)
    for word in line.iter(f"{XHTML}span"):
        if word.get("class") == "ocrx_word":
            found = re.fullmatch(r"bbox (\d+) (\d+) (\d+) (\d+); x_wconf 90", word.get("title", ""))
            assert found is not None
            assert left <= int(found[1]) < int(found[3]) <= right
            assert top <= int(found[2]) < int(found[4]) <= bottom


def test_hocr_slanted_line_has_a_baseline_and_turned_text_an_angle() -> None:
    lines = titles(hocr_of(), "ocr_line")
    assert lines[0] == "bbox 10 0 410 16; baseline 0.010 -4"
    assert "textangle 90" in next(title for title in lines if title.startswith("bbox 700 500 720 900"))


def test_hocr_line_without_a_box_has_that_of_the_page() -> None:
    assert "bbox 0 0 800 1000" in titles(hocr_of(), "ocr_line")


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_ocr_formats_leave_furniture_out_on_request(name: str) -> None:
    assert b"Times" in exported(export_document([page()]), name)
    assert b"Times" not in exported(export_document([page()], options=ExportOptions(furniture="drop")), name)


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_ocr_formats_have_the_correction(name: str) -> None:
    read = export_page("One twa three", [export_line("One twa three")])
    content = exported(export_document([corrected(read, "One two three")]), name).decode()
    before = exported(export_document([read]), name).decode()
    assert content == before.replace(" twa", " two").replace('"twa', '"two').replace(">twa", ">two")
