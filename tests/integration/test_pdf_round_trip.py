"""Property: a document that is printed as PDF and read has every word once, in order.

Hypothesis draws documents of one construct each (`tests/support/document_strategies.py`) and mixed ones.
Chromium, WeasyPrint and reportlab print them. The examples are always the same ones, so that a failure
repeats. With --slow and ROUND_TRIP_EXAMPLES, their number for each construct, more are drawn, and what fails
is shrunk. That is a search for faults: of 100 such documents, one fails. A word that is ambiguous on paper
may come in both readings (`PrintedDocument.difference`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backend_main.reading import Options, PageDone, read
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine
from tests.support.document_strategies import (
    CONSTRUCTS,
    NOT_IN_REPORTLAB,
    SCRIPTS,
    blocks,
    documents,
    documents_with_footnotes,
    mixed_documents,
    script_documents,
    vertical_documents,
)
from tests.support.page_structure import structure_faults
from tests.support.pdf_printers import CHROMIUM, ChromiumPrinter, print_with_weasyprint
from tests.support.printed_documents import PrintedDocument
from tests.support.reportlab_printer import print_with_reportlab
from tests.support.sentences import RIGHT_TO_LEFT

PRINTERS = ("Chromium", "WeasyPrint", "reportlab")
EXAMPLES, EXAMPLES_SLOW = 2, int(os.environ.get("ROUND_TRIP_EXAMPLES", "0"))
searches_for_faults = pytest.mark.skipif(
    not EXAMPLES_SLOW, reason="LOUD: ROUND_TRIP_EXAMPLES is not set; no further documents were drawn"
)
LANGUAGES = (*SCRIPTS, "ja")
SAMPLES = {"ko": "항구는", "ja": "北の港凍"}
"""Letters that a font must have, by language."""
NO_LANGUAGES_OF_REPORTLAB = (*RIGHT_TO_LEFT, "ko", "ja")
Print = Callable[[PrintedDocument], bytes]


@pytest.fixture(scope="module")
def chromium() -> Iterator[ChromiumPrinter]:
    if CHROMIUM is None:
        pytest.skip("LOUD: Chromium is not installed; PDFs printed by it were not tested")
    with ChromiumPrinter() as printer:
        yield printer


@pytest.fixture(scope="module", params=PRINTERS)
def print_pdf(request: pytest.FixtureRequest) -> Print:
    if request.param == "Chromium":
        printer: ChromiumPrinter = request.getfixturevalue("chromium")
        return printer_of_html(printer)
    if request.param == "WeasyPrint":
        skip_without_pango()
        return lambda document: print_with_weasyprint(document.html())
    return print_with_reportlab


def printer_of_html(printer: ChromiumPrinter) -> Print:
    return lambda document: printer.print(document.html())


def skip_without_pango() -> None:
    try:
        print_with_weasyprint("")
    except OSError as error:
        pytest.skip(f"LOUD: Pango is not installed; PDFs printed by WeasyPrint were not tested: {error}")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    loaded = load_engine("rapid", 1)
    yield loaded
    loaded.close()


def check(
    drawn: st.SearchStrategy[PrintedDocument], print_pdf: Print, engine: Engine, path: Path, *, examples: int
) -> None:
    """Check the words of `examples` documents. Only slow tests shrink: each step prints and reads a file."""
    phases = [Phase.generate, Phase.shrink] if examples > EXAMPLES else [Phase.generate]

    @settings(
        max_examples=examples,
        phases=phases,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def round_trip(document: PrintedDocument) -> None:
        path.write_bytes(print_pdf(document))
        assert document.difference(read_markdown(path, engine)) == []

    round_trip()


def read_markdown(path: Path, engine: Engine) -> str:
    """Read a file, and check the blocks of its pages, and the places of their lines."""
    pages = [event for event in read(path, Options(threads=1), engine) if isinstance(event, PageDone)]
    for page in pages:
        assert structure_faults(page) == []
    return "\n\n".join(page.markdown for page in pages)


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_round_trip_of_construct(construct: str, print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    skip_construct(construct, print_pdf)
    check(documents(blocks("en")[construct]), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_round_trip_of_script(language: str, print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    skip_language(language, print_pdf)
    check(script_documents(language), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


def test_round_trip_of_footnotes(print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    check(documents_with_footnotes(), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


def test_round_trip_of_vertical_text(chromium: ChromiumPrinter, engine: Engine, tmp_path: Path) -> None:
    skip_without_font("ja")
    check(vertical_documents(), printer_of_html(chromium), engine, tmp_path / "a.pdf", examples=EXAMPLES)


def test_round_trip_of_mixed_documents(print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    drawn = mixed_documents(constructs_of(print_pdf))
    check(drawn, print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


@pytest.mark.slow
@searches_for_faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_round_trip_of_construct_many(
    construct: str, print_pdf: Print, engine: Engine, tmp_path: Path
) -> None:
    skip_construct(construct, print_pdf)
    check(documents(blocks("en")[construct]), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES_SLOW)


@pytest.mark.slow
@searches_for_faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("language", "construct"), [(language, name) for language in LANGUAGES for name in blocks(language)]
)
def test_round_trip_of_script_many(
    language: str, construct: str, print_pdf: Print, engine: Engine, tmp_path: Path
) -> None:
    skip_language(language, print_pdf)
    drawn = documents(blocks(language)[construct], language)
    check(drawn, print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES_SLOW)


@pytest.mark.slow
@searches_for_faults
@pytest.mark.timeout(600)
def test_round_trip_of_mixed_documents_many(print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    drawn = mixed_documents(constructs_of(print_pdf))
    check(drawn, print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES_SLOW)


def constructs_of(print_pdf: Print) -> list[str]:
    """Return the constructs that a printer has."""
    is_reportlab = print_pdf is print_with_reportlab
    return [name for name in CONSTRUCTS if not (is_reportlab and name in NOT_IN_REPORTLAB)]


def skip_construct(construct: str, print_pdf: Print) -> None:
    if construct not in constructs_of(print_pdf):
        pytest.skip(f"reportlab does not have {construct}")


def skip_language(language: str, print_pdf: Print) -> None:
    if print_pdf is print_with_reportlab and language in NO_LANGUAGES_OF_REPORTLAB:
        pytest.skip("reportlab has no bidirectional text, and its font no Korean and Japanese")
    if language in SAMPLES:
        skip_without_font(language)


def skip_without_font(language: str) -> None:
    letters = " ".join(f"{ord(letter):x}" for letter in SAMPLES[language])
    found = subprocess.run(["fc-list", f":charset={letters}", "family"], capture_output=True, check=False)
    if not found.stdout.strip():
        pytest.skip(f"LOUD: no font for the language {language} is installed; its PDFs were not tested")
