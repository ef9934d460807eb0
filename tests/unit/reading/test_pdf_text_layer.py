"""Text layer of a PDF page: when it is trusted, and where its text is."""

from pathlib import Path

import pytest

from backend_main.reading import Options
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pdf_text_layer import TextLayer, is_usable
from tests.file_corpus.pdfs import (
    BOX,
    LINES,
    build_pdf,
    document_objects,
    pdf_from_objects,
    private_use_pdf,
)

SENTENCE = "Plain words that anybody can read"


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich",
        "吾輩は猫である。名前はまだ無い。どこで生れたか",
        "Съешь ещё этих мягких французских булок",
        "Page 17",
        f"{SENTENCE} \ue0b7 one \ue0b7 two",
        f"{SENTENCE} with a hy\x02phen and one\ufffe more",
        f"{SENTENCE}: https://example.com/{'a' * 60} is one long word among the others that there are",
    ],
)
def test_is_usable_with_text_of_any_script_is_true(text: str) -> None:
    assert is_usable(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n" * 100,
        "".join(chr(0xE000 + ord(letter)) for letter in SENTENCE),
        SENTENCE.replace("a", "\ufffd"),
        SENTENCE.replace("a", "\x05"),
        "x" * 400,
    ],
)
def test_is_usable_without_text_or_with_unmapped_text_is_false(text: str) -> None:
    assert not is_usable(text)


def text_layer_of(tmp_path: Path, file: bytes) -> TextLayer | None:
    (tmp_path / "x.pdf").write_bytes(file)
    with open_document(tmp_path / "x.pdf", Options()) as document:
        return document.text_layer(1)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_text_layer_boxes_are_where_letters_are_drawn(tmp_path: Path, turn: int) -> None:
    layer = text_layer_of(tmp_path, build_pdf("text", turn=turn))
    assert layer is not None
    assert [run.text for run in layer.runs] == [*LINES, "This is page 1."]
    with open_document(tmp_path / "x.pdf", Options()) as document:
        page = document.page(1)
    assert (abs(layer.width - page.width) <= 1, abs(layer.height - page.height) <= 1) == (True, True)
    ink = page.pixels.min(axis=2) < 128
    for run in layer.runs:
        (left, top), (right, _), (_, bottom), _ = run.box
        assert right - left > bottom - top > 10
        inside = ink[round(top) - 1 : round(bottom) + 2, round(left) - 1 : round(right) + 2]
        assert inside.any()
        ink[round(top) - 1 : round(bottom) + 2, round(left) - 1 : round(right) + 2] = False
    assert not ink.any(), "ink outside the boxes"


@pytest.mark.parametrize("kind", ["scan", "hidden"])
def test_text_layer_of_scan_or_hidden_text_is_none(tmp_path: Path, kind: str) -> None:
    assert text_layer_of(tmp_path, build_pdf(kind)) is None


def test_text_layer_of_private_use_letters_is_none(tmp_path: Path) -> None:
    assert text_layer_of(tmp_path, private_use_pdf()) is None


def test_text_layer_outside_crop_box_is_none(tmp_path: Path) -> None:
    assert text_layer_of(tmp_path, pdf_from_objects(document_objects([BOX]))) is not None
    assert (
        text_layer_of(tmp_path, pdf_from_objects(document_objects([BOX + "/CropBox[0 0 100 100]"]))) is None
    )
