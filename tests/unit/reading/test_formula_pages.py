"""The option `formulas`: the engine `vision` reads pages that are mostly formulas."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from backend_main.reading import Line, Options, PageDone, PageImage, formula_pages, read
from backend_main.reading.page_reader import PageReader
from backend_main.reading.recognized_formulas import recognized_formula_share
from backend_main.reading.types import FormulaOption, level_box
from tests.support.drawn_pdfs import drawn_page, text_at
from tests.support.fake_engines import FakeEngine
from tests.support.page_warnings import codes_of, messages_of
from tests.support.vision_server import Reply, VisionServer

MATH_FONT = {10: "<</Type/Font/Subtype/Type1/BaseFont/CMMI10/Encoding/WinAnsiEncoding>>"}
SENTENCE = "Every step of the proof used only that the space is compact."
LATEX = "$$M = \\begin{pmatrix} a & b & c \\end{pmatrix}$$"


def formula(y: float, sign: str = "\xb6") -> str:
    """Return a displayed formula, in a font for formulas, whose sign has no LaTeX: it stays plain text."""
    return text_at(220, y, f"x {sign} y = z {sign} a", size=14).replace("/F", "/M")


def page_of(content: str) -> bytes:
    """Return a PDF of one page; `/M` is a font for formulas."""
    return drawn_page(content, more=MATH_FONT).replace(b"<</F 3 0 R>>", b"<</F 3 0 R/M 10 0 R>>")


PROOF = page_of(
    "".join(text_at(60, 790 - 80 * row, "Hence we have") + formula(750 - 80 * row) for row in range(8))
)
PAPER = page_of(
    "".join(text_at(60, 790 - 120 * row, *[SENTENCE] * 5) + formula(690 - 120 * row) for row in range(3))
    + text_at(60, 390, *[SENTENCE] * 20)
)
CERTAIN = page_of("".join(formula(750 - 80 * row, "+") for row in range(8)))

Document = Callable[[bytes], Path]


@pytest.fixture
def document(tmp_path: Path) -> Document:
    def write(data: bytes) -> Path:
        path = tmp_path / "document"
        path.write_bytes(data)
        return path

    return write


@pytest.fixture(scope="module")
def shared_server() -> Iterator[VisionServer]:
    server = VisionServer()
    yield server
    server.close()


@pytest.fixture
def server(shared_server: VisionServer, monkeypatch: pytest.MonkeyPatch) -> VisionServer:
    """The endpoint that `vision` is set up for."""
    shared_server.replies[:], shared_server.requests[:] = [Reply(text=LATEX)], []
    monkeypatch.setenv("SCANRILL_VISION_URL", shared_server.url)
    monkeypatch.setenv("SCANRILL_VISION_MODEL", "test-vl")
    return shared_server


def read_page(path: Path, formulas: FormulaOption = "vision", **options: float) -> PageDone:
    (done,) = [
        event for event in read(path, Options(formulas=formulas, **options)) if isinstance(event, PageDone)
    ]
    return done


def test_page_of_formulas_is_read_by_vision_and_keeps_its_lines(
    document: Document, server: VisionServer
) -> None:
    done = read_page(document(PROOF))
    assert (done.markdown, len(server.requests)) == (LATEX, 1)
    assert messages_of(done) == ["Page 1 is mostly formulas; the engine “vision” read it."]
    assert (done.warnings[0].code, done.warnings[0].share) == (
        "formulas-reread",
        pytest.approx(0.59, abs=0.01),
    )
    assert [line.text for line in done.lines][:2] == ["Hence we have", "x ¶ y = z ¶ a"]
    assert all(line.box for line in done.lines)


@pytest.mark.parametrize("page", [PAPER, CERTAIN], ids=["three formulas", "formulas that are LaTeX"])
def test_other_page_is_not_sent_to_vision(page: bytes, document: Document, server: VisionServer) -> None:
    done = read_page(document(page))
    assert (server.requests, done.warnings) == ([], [])


def test_page_of_formulas_is_not_sent_to_vision_by_default(document: Document, server: VisionServer) -> None:
    path = document(PROOF)
    done = read_page(path, "text")
    assert (server.requests, done.warnings) == ([], [])
    assert Options().formulas == "text"


def test_notes_of_a_page_are_in_the_text_of_vision(document: Document, server: VisionServer) -> None:
    note = "/Annots[<</Type/Annot/Subtype/Text/Rect[500 700 520 720]/Contents(Please check)/F 4>>]"
    path = document(PROOF.replace(b"/Type/Page/", b"/Type/Page" + note.encode() + b"/"))
    assert read_page(path).markdown == f"{LATEX}\n\n> Note: Please check"


def assert_text_layer_is_kept(done: PageDone, reason: str) -> None:
    assert done.markdown.startswith("Hence we have\n\nx ¶ y = z ¶ a\n\nHence")
    assert codes_of(done) == ["plain-formulas"]
    assert messages_of(done) == [f"Page 1 is mostly formulas, which may be wrong. {reason}"]


def test_vision_that_is_not_set_up_is_a_warning(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "MODEL"):
        monkeypatch.delenv(f"SCANRILL_VISION_{name}", raising=False)
    reason = (
        "The engine “vision” is not available: SCANRILL_VISION_URL (such as http://localhost:11434/v1) and "
        "SCANRILL_VISION_MODEL are required."
    )
    assert_text_layer_is_kept(read_page(document(PROOF)), reason)


FAILURES = {
    "answer without text": (Reply(text=" "), "most words of the page are not in its text"),
    "refused": (Reply(status=400), "the model failed (HTTP 400)"),
    "cut off": (Reply(text=LATEX, length_after=3), "its text is cut off"),
    "broken": (Reply(text=LATEX, break_after=3), "the model"),
    "stalled": (Reply(text=LATEX, stall_after=3), "the model sent no data"),
}


@pytest.mark.parametrize(("reply", "reason"), FAILURES.values(), ids=FAILURES)
def test_failure_of_vision_keeps_the_text_layer(
    reply: Reply, reason: str, document: Document, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANRILL_VISION_STALL_SECONDS", "0.2")
    server.replies[:] = [reply]
    done = read_page(document(PROOF))
    assert_text_layer_is_kept(done, messages_of(done)[0].split("wrong. ", 1)[1])
    assert f"The engine “vision” could not read it: {reason}" in messages_of(done)[0]


def test_vision_gets_what_is_left_of_the_time_of_the_page(
    document: Document, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first engine has used all of it: the page would otherwise exceed the limit, and all be lost."""
    server.replies[:] = [Reply(text=LATEX, stall_after=3, keep_alive=True)]
    done = read_page(document(PROOF), page_seconds=1e-6)
    assert_text_layer_is_kept(done, messages_of(done)[0].split("wrong. ", 1)[1])


def test_text_of_vision_that_lacks_the_words_of_the_page_is_not_used(
    document: Document, server: VisionServer
) -> None:
    words = "Consider therefore nearly every operator between these Banach spaces whose kernel"
    heads = "".join(
        text_at(60, 790 - 80 * row, word) + formula(750 - 80 * row)
        for row, word in enumerate(words.split()[:9])
    )
    done = read_page(document(page_of(heads)))
    assert done.markdown.startswith("Consider\n\nx ¶ y")
    assert messages_of(done)[0].endswith("could not read it: most words of the page are not in its text.")


def test_text_layer_streams_before_vision_answers(document: Document, server: VisionServer) -> None:
    seen_requests = [
        len(server.requests)
        for event in read(document(PROOF), Options(formulas="vision"))
        if isinstance(event, Line)
    ]
    assert seen_requests
    assert set(seen_requests) == {0}


# ── pages without a text layer ──


def lines_of(*rows: tuple[float, float, str]) -> list[Line]:
    """Return lines of 20 pixels height and 10 pixels a character from (left, top, text)."""
    return [Line(1, text, text, level_box(x, y, x + 10 * len(text), y + 20), 0.95) for x, y, text in rows]


def scan() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (800, 600), "white").save(buffer, "PNG")
    return buffer.getvalue()


SCANNED_FORMULAS = lines_of((50, 20, "Hence"), *((200, 60 + 30 * row, "x + y = 2z − 1") for row in range(8)))


class FormulaEngine(FakeEngine):
    """Engine that reads lines at given places."""

    def read_page(self, page: PageImage) -> Iterator[Line]:
        yield from SCANNED_FORMULAS


def test_recognized_page_of_formulas_is_read_by_vision(
    document: Document, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PageReader, "_reread_other_scripts", lambda *_: None)
    events = read(document(scan()), Options(formulas="vision"), FormulaEngine(""))
    (done,) = [event for event in events if isinstance(event, PageDone)]
    assert done.markdown == LATEX
    assert [line.text for line in done.lines] == [line.text for line in SCANNED_FORMULAS]


def test_recognized_formula_share_counts_the_parts_of_a_formula() -> None:
    fraction = lines_of((300, 100, "∫ f(x) dx ="), (430, 85, "2"), (430, 112, "n"))
    text = lines_of((50, 20, "Every step of the proof used only that"))
    assert 0.4 < recognized_formula_share([*text, *fraction]) < 0.7
    assert recognized_formula_share(fraction) == 1


@pytest.mark.parametrize(
    "rows",
    [
        ["12.50", "3 x 4.00 = 12.00", "S=GST @6%", "TOTAL 24.50", "- apples", "2024-03-01", "* 7 %"],
        ["value = function(argument)", "count = count + len(rows)", "while first < second:"],
        ["Every step of the proof used x = 1 and a + b"],
    ],
    ids=["receipt", "code", "sentence"],
)
def test_recognized_formula_share_of_other_text_is_zero(rows: list[str]) -> None:
    lines = lines_of(*((50, 40 * row, text) for row, text in enumerate(rows)))
    assert recognized_formula_share(lines) == 0


def test_recognized_formula_share_without_boxes_is_zero() -> None:
    assert recognized_formula_share([Line(1, "x = y", "x = y")]) == 0
    assert formula_pages.MIN_FORMULA_SHARE > 0
