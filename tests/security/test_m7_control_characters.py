"""M7 - control characters and hidden characters neither enter nor reach a terminal."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from backend_main.cli.live_preview import LivePreview
from backend_main.core.log_filters import RedactingFormatter
from backend_main.core.protocol.field_types import FileName
from backend_main.core.uploads.ingest import base_name
from backend_main.reading import Line, Options, PageDone, PageStarted, read
from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines import Engine
from backend_main.reading.engines.vision.response import MarkdownResponse
from backend_main.reading.output.markdown import MarkdownWriter
from backend_main.reading.types import PageWarning
from tests.file_corpus.pdfs import stream
from tests.support.drawn_pdfs import LETTER, drawn_page, letter, text_at
from tests.support.page_images import page_png

CLIPBOARD = "\x1b]52;c;cm0gLXJm\x07"
HOSTILE = f"{CLIPBOARD}\x9b31m\u202egpj\u2066x\u200b\ufeff\u2028\x85"
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff]")


def assert_clean(*texts: str) -> None:
    for text in texts:
        assert not UNSAFE.search(text), ascii(text)


def run_read(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    program = "from backend_main.cli.main import main; main()"
    command = [sys.executable, "-c", program, "read", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False)


def hidden_pdf() -> bytes:
    """Return a PDF whose text layer maps some codes to control and hidden characters."""
    codes = {0x41 + index: ord(letter) for index, letter in enumerate(HOSTILE[:26])}
    mapping = "\n".join(f"<{code:02X}> <{target:04X}>" for code, target in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        "1 begincodespacerange <00> <FF> endcodespacerange "
        f"{len(codes)} beginbfchar\n{mapping}\nendbfchar endcmap end end"
    )
    hostile_line = "".join(map(chr, codes))
    lines = "".join(text_at(60, 700 - 20 * row, *LETTER) for row in range(10))
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 11 0 R>>"
    author, words = (
        f"<FEFF{text.encode('utf-16-be').hex()}>" for text in ("Eve\x9b31m", f"note {HOSTILE[1:]}")
    )
    note = f"/Annots[<</Type/Annot/Subtype/Text/Rect[20 20 40 40]/T{author}/Contents{words}>>]"
    return drawn_page(
        letter() + lines + f"BT /G 11 Tf 60 100 Td ({hostile_line}) Tj ET\n",
        entries=note,
        more={11: stream(cmap.encode()), 10: font},
    ).replace(b"/F 3 0 R", b"/F 3 0 R/G 10 0 R")


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "hidden.pdf"
    path.write_bytes(hidden_pdf())
    return path


def test_m7_text_layer_and_notes_have_no_control_characters(pdf: Path) -> None:
    events = list(read(pdf, Options(engine="dummy")))
    lines = [event for event in events if isinstance(event, Line)]
    pages = [event for event in events if isinstance(event, PageDone)]
    assert_clean(*(text for line in [*lines, *pages[0].lines] for text in (line.text, line.markdown)))
    assert_clean(pages[0].markdown, pages[0].text, *map(str, pages[0].warnings))
    assert "52;c;" in pages[0].text  # what is left of the line and of the note
    assert "Note by Eve31m:" in pages[0].text


@pytest.mark.parametrize("output", ["md", "txt", "json"])
def test_m7_read_prints_no_control_characters_of_a_pdf(pdf: Path, output: str) -> None:
    done = run_read(pdf, "--engine", "dummy", "--format", output, cwd=pdf.parent)
    assert done.returncode == 0
    assert_clean(done.stdout.decode(), done.stderr.decode())


class EscapingEngine(Engine):
    """Engine that recognizes hostile text, and makes its Markdown by itself."""

    name = "escaping"
    has_final_markdown = True
    is_test_engine = True

    def load(self, threads: int) -> None:
        """Load nothing."""

    def read_page(self, page: PageImage) -> Iterator[Line]:
        yield Line(page.number, f"read {HOSTILE}", f"read {HOSTILE}", ((0, 0), (9, 0), (9, 9), (0, 9)), 1.0)

    def final_markdown(self, page: PageImage, lines: object) -> str:
        return f"final {HOSTILE}"

    def warnings(self) -> list[PageWarning | str]:
        return [f"warning {HOSTILE}"]


def test_m7_recognized_text_and_warnings_have_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(page_png(["page"]))
    events = list(read(path, Options(), EscapingEngine()))
    done = events[-1]
    assert isinstance(done, PageDone)
    assert done.text.startswith("final ")
    assert_clean(done.markdown, done.text, *(line.text + line.markdown for line in done.lines))
    assert_clean(*map(str, done.warnings))
    assert_clean(*(event.text + event.markdown for event in events if isinstance(event, Line)))


def test_m7_removed_characters_cannot_hide_markup_from_the_escaping() -> None:
    assert MarkdownWriter().write("", "\x01# no heading") == "\\# no heading"
    assert MarkdownWriter().write("", "&\u200blt; no tag") == "\\&lt; no tag"


def test_m7_answers_of_a_model_have_no_control_characters() -> None:
    response = MarkdownResponse()
    shown = response.feed(f"one {HOSTILE} two\r\n") + response.feed(f"three <\x1bb> {CLIPBOARD}\n")
    assert_clean(shown, response.markdown())
    assert "\\<b>" in response.markdown()


def test_m7_names_of_uploads_lose_control_characters() -> None:
    assert base_name(f"a{HOSTILE}b.png") == "a]52;c;cm0gLXJm31mgpjx  b.png"
    assert base_name("\u202e\x9b") is None


@pytest.mark.parametrize("letter", ["\x1b", "\x9b", "\u202e", "\u2066", "\u2028", "\u200b", "\n", "\t"])
def test_m7_given_names_with_control_characters_are_refused(letter: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(f"a{letter}.png", FileName)
    assert msgspec.convert("می\u200cخواهم \u200f(1).png", FileName)


@pytest.mark.parametrize(
    "name",
    ["bad\x1b]0;title\x07.png", "bad\x9b31m\u202egpj.png", "bad[link=file:etc]x[bold].png"],
    ids=["escape", "c1", "markup"],
)
def test_m7_file_names_in_errors_cannot_control_the_terminal(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no image")
    done = run_read(name, cwd=tmp_path)
    assert done.returncode == 1
    assert b"bad" in done.stderr
    assert_clean(done.stderr.decode())


def test_m7_json_of_a_file_whose_name_is_no_text_is_written(tmp_path: Path) -> None:
    file = tmp_path / "\udcff\x1b.png"
    file.write_bytes(page_png(["page"]))
    done = run_read(file, "--engine", "dummy", "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["file"].endswith("/\ufffd\ufffd.png")


def test_m7_preview_of_a_page_shows_no_control_characters(pdf: Path) -> None:
    screen = io.StringIO()
    with LivePreview("name", Console(file=screen, force_terminal=False), enabled=True) as preview:
        for event in read(pdf, Options(engine="dummy")):
            if isinstance(event, PageStarted):
                preview.begin_page(event)
            elif isinstance(event, Line):
                preview.append(event.markdown)
    assert_clean(screen.getvalue())


@pytest.mark.parametrize("make", [lambda: HOSTILE, lambda: Exception(HOSTILE)], ids=["text", "error"])
def test_m7_log_lines_have_no_control_characters(make: Callable[[], object]) -> None:
    record = logging.LogRecord("scanrill", logging.WARNING, "", 0, "file %s", (make(),), None)
    assert_clean(RedactingFormatter("%(message)s").format(record))
