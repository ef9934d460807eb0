"""A page's own text is taken where it is good and stands where it says, and nowhere else."""

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

A_LINE = "Plain words that anybody can read"


@pytest.mark.parametrize(
    "text",
    [
        A_LINE,
        "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich",
        "吾輩は猫である。名前はまだ無い。どこで生れたか",
        "Съешь ещё этих мягких французских булок",
        f"{A_LINE} with a hy\x02phen and one\ufffe more",
        f"{A_LINE}: https://example.com/{'a' * 60} is one long word among the others that there are",
    ],
)
def test_text_of_any_script_is_good(text: str) -> None:
    assert is_usable(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Page 17",
        " \n" * 100,
        "".join(chr(0xE000 + ord(letter)) for letter in A_LINE),
        A_LINE.replace("a", "\ufffd"),
        A_LINE.replace("a", "\x05"),
        "x" * 400,
    ],
)
def test_what_is_no_text_is_not(text: str) -> None:
    assert not is_usable(text)


def layer(tmp_path: Path, file: bytes) -> TextLayer | None:
    (tmp_path / "x.pdf").write_bytes(file)
    with open_document(tmp_path / "x.pdf", Options()) as document:
        return document.text_layer(1)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_pieces_stand_where_the_letters_are_drawn(tmp_path: Path, turn: int) -> None:
    found = layer(tmp_path, build_pdf("text", turn=turn))
    assert found is not None
    assert [piece.text for piece in found.runs] == [*LINES, "This is page 1."]
    with open_document(tmp_path / "x.pdf", Options()) as document:
        page = document.page(1)
    assert (abs(found.width - page.width) <= 1, abs(found.height - page.height) <= 1) == (True, True)
    ink = page.pixels.min(axis=2) < 128
    for piece in found.runs:
        (left, top), (right, _), (_, bottom), _ = piece.box
        assert right - left > bottom - top > 10
        inside = ink[round(top) - 1 : round(bottom) + 2, round(left) - 1 : round(right) + 2]
        assert inside.any()
        ink[round(top) - 1 : round(bottom) + 2, round(left) - 1 : round(right) + 2] = False
    assert not ink.any(), "all that is drawn is in a box"


@pytest.mark.parametrize("kind", ["scan", "hidden", "sideways"])
def test_a_page_that_should_be_looked_at_has_none(tmp_path: Path, kind: str) -> None:
    assert layer(tmp_path, build_pdf(kind)) is None


def test_letters_of_private_use_are_none(tmp_path: Path) -> None:
    assert layer(tmp_path, private_use_pdf()) is None


def test_text_that_a_page_is_cut_from_is_none(tmp_path: Path) -> None:
    assert layer(tmp_path, pdf_from_objects(document_objects([BOX]))) is not None
    assert layer(tmp_path, pdf_from_objects(document_objects([BOX + "/CropBox[0 0 100 100]"]))) is None
