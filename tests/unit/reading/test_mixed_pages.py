"""Pages whose text layer is only a part of what they show, or is not what they show."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backend_main.reading import Engine, Options, PageDone, load_engine, read
from backend_main.reading.documents import document
from backend_main.reading.engines import DetectedScript
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.warning_texts import text_layer_not_read, text_not_checked
from tests.file_corpus.pdfs import stream
from tests.support.drawn_pdfs import (
    LETTER,
    drawn_page,
    form_object,
    image_object,
    letter,
    outlines,
    picture,
    text_at,
)
from tests.support.fake_engines import BoxlessEngine, FailingEngine, FakeEngine
from tests.support.page_structure import structure_faults
from tests.support.page_warnings import codes_of, messages_of

PICTURE = image_object(picture("Account DE02 1203", "Amount 480,00 EUR"))
PLACED = "q 250 0 0 75 60 400 cm /I Do Q"
TO_UNICODE = (
    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /P def /CMapType 2 def "
    "1 begincodespacerange <00> <ff> endcodespacerange {} endcmap end end"
)
SHIFTED = TO_UNICODE.format("1 beginbfrange <21> <7d> <0022> endbfrange")
Z_LOST = TO_UNICODE.format(
    "2 beginbfrange <20> <79> <0020> <7b> <7e> <007b> endbfrange 1 beginbfchar <7a> <0000> endbfchar"
)


def read_page(tmp_path: Path, file: bytes, engine: Engine) -> PageDone:
    (tmp_path / "x.pdf").write_bytes(file)
    (done,) = (event for event in read(tmp_path / "x.pdf", Options(), engine) if isinstance(event, PageDone))
    assert structure_faults(done) == []
    return done


# --- with the engine `rapid` -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def with_picture(content: str, resources: str = "/XObject<</I 10 0 R>>", **more: str | bytes) -> bytes:
    objects: dict[int, str | bytes] = {10: PICTURE} | {int(name[1:]): value for name, value in more.items()}
    return drawn_page(letter() + content, resources=resources, more=objects)


def nested_forms() -> bytes:
    forms: dict[int, str | bytes] = {
        11 + depth: form_object("/X Do", "0 0 595 842", f"/XObject<</X {12 + depth} 0 R>>")
        for depth in range(5)
    }
    inner = {16: form_object(PLACED, "0 0 595 842", "/XObject<</I 10 0 R>>"), 10: PICTURE}
    return drawn_page(letter() + "/X Do", resources="/XObject<</X 11 0 R>>", more=forms | inner)


PATTERN = (
    "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 250 75]/XStep 250/YStep 75"
    "/Matrix[1 0 0 1 60 400]/Resources<</XObject<</I 10 0 R>>>>"
)
PICTURES = {
    "small": lambda: with_picture(PLACED),
    "tiny": lambda: with_picture("q 100 0 0 30 60 400 cm /I Do Q"),
    "scaled form": lambda: with_picture(
        "q 250 0 0 75 60 400 cm /X Do Q",
        "/XObject<</X 11 0 R>>",
        _11=form_object("/I Do", "0 0 1 1", "/XObject<</I 10 0 R>>"),
    ),
    "six forms deep": nested_forms,
    "pattern": lambda: with_picture(
        "/Pattern cs /P scn 60 400 250 75 re f",
        "/Pattern<</P 11 0 R>>",
        _11=stream(b"250 0 0 75 0 0 cm /I Do", PATTERN),
    ),
    "turned": lambda: with_picture("q 0 250 -75 0 200 300 cm /I Do Q"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_words_in_a_picture_are_recognized_beside_the_text_layer(
    tmp_path: Path, rapid: Engine, name: str
) -> None:
    done = read_page(tmp_path, PICTURES[name](), rapid)
    text = " ".join(done.markdown.split())
    assert text.startswith(" ".join(LETTER))
    assert "Account DE02 1203" in text
    assert "Amount 480,00 EUR" in text
    assert done.warnings == []


def test_words_in_a_picture_on_a_turned_page_are_recognized(tmp_path: Path, rapid: Engine) -> None:
    file = drawn_page(
        letter() + PLACED,
        resources="/XObject<</I 10 0 R>>",
        entries="/Rotate 90",
        more={10: PICTURE},
    )
    text = " ".join(read_page(tmp_path, file, rapid).markdown.split())
    assert text.startswith(" ".join(LETTER))
    assert "Account DE02 1203" in text
    assert "Amount 480,00 EUR" in text


def test_outlined_letters_are_recognized_beside_a_text_footer(tmp_path: Path, rapid: Engine) -> None:
    drawn = outlines("Letters drawn as outlines", 60, 600, 16) + outlines("beside a text footer", 60, 570, 16)
    done = read_page(tmp_path, drawn_page(drawn + text_at(60, 400, "Signed on 3 March")), rapid)
    assert " ".join(done.markdown.split()) == (
        "Letters drawn as outlines beside a text footer Signed on 3 March"
    )


def test_shifted_mapping_is_recognized_instead(tmp_path: Path, rapid: Engine) -> None:
    file = drawn_page(letter(), font_entries="/ToUnicode 10 0 R", more={10: stream(SHIFTED.encode())})
    done = read_page(tmp_path, file, rapid)
    assert done.markdown.split() == " ".join(LETTER).split()
    assert all(line.confidence is not None for line in done.lines)


def test_mapping_with_shifted_figures_is_recognized_instead(tmp_path: Path, rapid: Engine) -> None:
    mapping = TO_UNICODE.format(
        "3 beginbfrange <20> <2f> <0020> <30> <38> <0031> <3a> <7e> <003a> endbfrange "
        "1 beginbfchar <39> <0030> endbfchar"
    )
    file = drawn_page(letter(), font_entries="/ToUnicode 10 0 R", more={10: stream(mapping.encode())})
    assert "Invoice number 2024-0815, dated 3 March 2024." in read_page(tmp_path, file, rapid).markdown


UNNAMED = {10: stream(TO_UNICODE.format("1 beginbfrange <21> <7d> <e000> endbfrange").encode())}


def test_layer_without_names_of_letters_is_recognized_instead(tmp_path: Path, rapid: Engine) -> None:
    done = read_page(tmp_path, drawn_page(letter(), font_entries="/ToUnicode 10 0 R", more=UNNAMED), rapid)
    assert done.markdown.split() == " ".join(LETTER).split()
    assert done.warnings == []


def test_layer_without_names_of_letters_of_which_few_are_recognized_has_a_warning(tmp_path: Path) -> None:
    file = drawn_page(letter(), font_entries="/ToUnicode 10 0 R", more=UNNAMED)
    done = read_page(tmp_path, file, FakeEngine("This letter is a long"))
    assert done.text.strip() == "This letter is a long"
    assert text_layer_not_read(1) in done.warnings


def test_ordinary_fonts_are_not_suspicious(tmp_path: Path) -> None:
    fonts = ("Helvetica", "Times-Roman", "Courier", "Helvetica-BoldOblique")
    body = "".join(
        text_at(60, 700 - 100 * index, *LETTER, "0123456789 ABDEHLMNOPRST").replace("/F ", f"/F{index} ")
        for index in range(len(fonts))
    )
    more: dict[int, str | bytes] = {
        10 + index: f"<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>"
        for index, name in enumerate(fonts)
    }
    entries = "".join(f"/F{index} {10 + index} 0 R" for index in range(len(fonts)))
    file = drawn_page(body, more=more).replace(b"/F 3 0 R", f"/F 3 0 R{entries}".encode())
    done = read_page(tmp_path, file, FailingEngine())
    assert done.warnings == []
    assert done.markdown.count("0123456789 ABDEHLMNOPRST") == len(fonts)


LOST = (
    "The quick brown fox jumps over the dog",
    "and the lazy sheep sleeps at the edge",
    "of a wide green field that nobody owns",
    "until the evening comes and it is dark",
)


def lost_letters() -> bytes:
    return drawn_page(
        text_at(60, 700, *LOST), font_entries="/ToUnicode 10 0 R", more={10: stream(Z_LOST.encode())}
    )


def test_line_with_a_lost_letter_is_recognized_and_the_others_are_not(tmp_path: Path, rapid: Engine) -> None:
    engine = FakeEngine("and the lazy sheep sleeps at the edge", step=0)
    for reader in (rapid, engine):
        done = read_page(tmp_path, lost_letters(), reader)
        assert done.markdown.split() == " ".join(LOST).split()
        assert done.warnings == []
    (page,) = engine.pages
    assert page.height < 150


def test_line_with_a_lost_letter_takes_nothing_else_from_the_engine(tmp_path: Path) -> None:
    engine = FakeEngine("And the lazy sheep sleeps et the edge.", step=0)
    assert read_page(tmp_path, lost_letters(), engine).markdown.split() == " ".join(LOST).split()


def hebrew_in_latin_shapes(font_entries: str) -> bytes:
    """Return words in a font whose codes of capitals are mapped to Hebrew letters, one by one from right."""
    mapping = TO_UNICODE.format("2 beginbfrange <20> <40> <0020> <41> <5a> <05d0> endbfrange")
    words = "".join(
        text_at(540 - 60 * place, 760, word) for place, word in enumerate(("DCBA", "HGFE", "LKJI"))
    )
    return drawn_page(words, font_entries=font_entries, more={10: stream(mapping.encode())})


def test_hebrew_in_a_font_that_is_not_embedded_is_not_compared_with_its_picture(tmp_path: Path) -> None:
    done = read_page(tmp_path, hebrew_in_latin_shapes("/ToUnicode 10 0 R"), FailingEngine())
    assert done.markdown.split() == ["אבגד", "הוזח", "טיךכ"]
    assert done.warnings == []


def scan_with_layer(hidden: str) -> bytes:
    scan = picture("Account DE02 1203 0000 5678", "Amount 480,00 EUR paid in full", size=40)
    height = 500 * scan.height / scan.width
    lines = "BT 3 Tr ET " + "".join(
        text_at(60 + 500 * 40 / scan.width, 400 + height - y * height / scan.height, line, size=30)
        for y, line in zip((52, 116), hidden.split("\n"), strict=True)
    )
    return drawn_page(
        f"q 500 0 0 {height:.1f} 60 400 cm /I Do Q " + lines,
        resources="/XObject<</I 10 0 R>>",
        more={10: image_object(scan)},
    )


@pytest.mark.parametrize(("confidence", "is_used"), [(0.9, True), (1.0, False)], ids=["less sure", "surer"])
def test_earlier_recognition_is_used_if_it_agrees_more_than_the_engine_is_sure(
    tmp_path: Path, confidence: float, *, is_used: bool
) -> None:
    lines = ("Account DE02 1203 0000 5678", "Amount 480,00 EUR paid in full")
    engine = FakeEngine(*lines, confidence=confidence)
    done = read_page(tmp_path, scan_with_layer("\n".join(lines)), engine)
    assert [line.text for line in done.lines] == list(lines)
    assert all((line.confidence is None) == is_used for line in done.lines)


def test_earlier_recognition_of_one_line_leaves_the_others_to_the_engine(tmp_path: Path) -> None:
    scan = picture("First line of three", "Second line of three", "Third line of three", size=40)
    height = 500 * scan.height / scan.width
    known = text_at(
        60 + 500 * 40 / scan.width, 400 + height * (1 - 116 / scan.height), "Second line of three", size=46
    )
    file = drawn_page(
        f"q 500 0 0 {height:.1f} 60 400 cm /I Do Q BT 3 Tr ET {known}",
        resources="/XObject<</I 10 0 R>>",
        more={10: image_object(scan)},
    )
    engine = FakeEngine("Second line of three", confidence=0.9)
    read_page(tmp_path, file, engine)
    _, page = engine.pages
    has_ink = (page.pixels.min(axis=(1, 2)) < 128).astype(int)
    starts = int((np.diff(has_ink, prepend=0) == 1).sum())
    assert starts == 2, "the first and the third line"


def test_earlier_recognition_that_is_wrong_is_not_used(tmp_path: Path, rapid: Engine) -> None:
    wrong = "Acc0vnt DED2 l2O3 OOOO S67B\nArnovnt 48D,DD FUR qaid jn fvll"
    done = read_page(tmp_path, scan_with_layer(wrong), rapid)
    assert "Account DE02 1203 0000 5678" in done.markdown
    assert "Arnovnt" not in done.markdown


# --- what reaches the engine -------------------------------------------------------------------------------


def test_engine_gets_only_the_unread_part_without_the_text(tmp_path: Path) -> None:
    engine = FakeEngine("Account DE02 1203")
    done = read_page(tmp_path, with_picture("q 250 0 0 75 60 600 cm /I Do Q"), engine)
    (page,) = engine.pages
    scale = done.width / 595
    assert page.width == pytest.approx(250 * scale, abs=150)
    assert page.height < 400
    box = done.lines[-1].box
    assert box is not None
    assert box[0][0] > 10
    assert box[0][1] > (842 - 675) * scale - 100


def test_page_without_unread_parts_needs_no_engine(tmp_path: Path) -> None:
    for file in (drawn_page(letter()), drawn_page(letter() + "0.9 g 50 590 300 30 re f 60 500 400 1 re f")):
        assert read_page(tmp_path, file, FailingEngine()).warnings == []


def test_failing_engine_leaves_the_text_layer_and_a_warning(tmp_path: Path) -> None:
    done = read_page(tmp_path, with_picture(PLACED), FailingEngine())
    assert done.markdown.split() == [*" ".join(LETTER).split(), "![]()"]
    assert messages_of(done) == [
        "The pictures on page 1 may contain text that could not be recognized. Out of order."
    ]


def test_picture_in_an_unread_script_leaves_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FallbackEngines, "detect_script", lambda *_: DetectedScript("Thai"))
    monkeypatch.setattr(FallbackEngines, "engines_for_script", lambda *_, **__: iter(()))
    done = read_page(tmp_path, with_picture(PLACED), FakeEngine(*["Cyet Aueanaooa"] * 3, confidence=0.5))
    assert done.markdown.split() == [*" ".join(LETTER).split(), "![]()"]
    assert len(done.warnings) == 1
    assert done.warnings[0].message.startswith("Pictures on page 1: Page 1 is in Thai script.")


def test_boxless_engine_reads_each_unread_part_as_a_page(tmp_path: Path) -> None:
    engine = BoxlessEngine("Account DE02 1203")
    file = with_picture(PLACED + " q 250 0 0 75 60 100 cm /I Do Q")
    done = read_page(tmp_path, file, engine)
    assert len(engine.pages) == 2
    assert done.markdown.count("Account DE02 1203") == 2


def test_suspect_layer_that_the_engine_cannot_read_stays_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FallbackEngines, "detect_script", lambda *_: None)
    file = drawn_page(letter(), font_entries="/ToUnicode 10 0 R", more={10: stream(SHIFTED.encode())})
    done = read_page(tmp_path, file, FakeEngine("?", confidence=0.3))
    assert done.markdown.startswith("Uijt mfuufs")
    assert done.warnings == [text_not_checked(1)]


def test_lost_letters_that_the_engine_cannot_read_are_a_warning(tmp_path: Path) -> None:
    done = read_page(tmp_path, lost_letters(), FakeEngine("something else", confidence=0.9))
    assert codes_of(done) == ["lost-letters"]
    assert len(done.warnings[0].boxes) == 1


def test_text_layer_that_raises_is_logged_and_the_page_has_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("an unexpected object")

    monkeypatch.setattr(document, "extract_text_layer", fail)
    with caplog.at_level(logging.ERROR, "scanrill.reading"):
        done = read_page(tmp_path, drawn_page(letter()), FakeEngine("from the picture"))
    assert messages_of(done)[0] == document.TEXT_LAYER_FAILED_WARNING.format(number=1)
    assert "an unexpected object" in caplog.text
