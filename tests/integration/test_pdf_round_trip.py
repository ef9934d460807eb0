"""Property: a document that is printed as PDF and read has every word once, in order.

Hypothesis draws documents of one construct each (`tests/support/document_strategies.py`) and mixed ones.
Chromium, WeasyPrint and reportlab print them. The examples are always the same ones, so that a failure
repeats; with --slow there are more of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from html import unescape
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from backend_main.reading import Options, PageDone, read
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine
from tests.support.document_strategies import (
    CONSTRUCTS,
    SCRIPT_CONSTRUCTS,
    SCRIPTS,
    blocks,
    documents,
    mixed_documents,
    page_documents,
)
from tests.support.pdf_printers import CHROMIUM, ChromiumPrinter, print_with_weasyprint
from tests.support.printed_documents import PrintedDocument
from tests.support.reportlab_printer import print_with_reportlab
from tests.support.sentences import RIGHT_TO_LEFT

PRINTERS = ("Chromium", "WeasyPrint", "reportlab")
EXAMPLES, EXAMPLES_SLOW = 2, 15
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
        return lambda document: printer.print(document.html())
    if request.param == "WeasyPrint":
        return lambda document: print_with_weasyprint(document.html())
    return print_with_reportlab


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
        lost_and_surplus = difference(document.words(), read_markdown(path, engine))
        assert lost_and_surplus == []

    round_trip()


def read_markdown(path: Path, engine: Engine) -> str:
    events = read(path, Options(threads=1), engine)
    return "\n\n".join(event.markdown for event in events if isinstance(event, PageDone))


def difference(expected: list[str], markdown: str) -> list[str]:
    """Return what has changed in the words, such as `-lost words` and `+surplus words`."""
    before, after = normalized(expected), markdown_words(markdown)
    changes = []
    for kind, *places in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        start, end, new_start, new_end = places
        if kind != "equal":
            changes += [f"-{' '.join(before[start:end])}", f"+{' '.join(after[new_start:new_end])}"]
    return [change for change in changes if len(change) > 1]


FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKS = (
    (re.compile(r"^\s*\|(?:\s*:?-+:?\s*\|)+\s*$", re.MULTILINE), " "),  # the rule under a table's head
    (re.compile(r"\[([^]]*)\]\(([^)]*)\)"), r"\1"),  # links
    (re.compile(r"</?(?:table|tbody|thead|tr|td|th|br)\b[^>]*>"), " "),
    (re.compile(r"</?(?:sup|sub|b|i|em|strong|code)>"), ""),
    (re.compile(r"^\s*(?:>\s*)*(?:#{1,6}|[-*+])\s+", re.MULTILINE), ""),
    (re.compile(r"^\s*>\s*", re.MULTILINE), ""),
    (re.compile(r"(?<!\\)\|"), " "),
    (re.compile(r"(?<!\\)(?:\*{1,3}(?=\S)|(?<=\S)\*{1,3}|`)"), ""),  # not the asterisk of `a * b`
    (re.compile(r"(?<!\\)\$(?=[^\s$]*[\^_])([^$]*)\$"), r"\1"),  # formulas
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def markdown_words(markdown: str) -> list[str]:
    """Return the words of Markdown without its marks."""
    # The odd parts are program texts, which have no marks.
    parts = FENCE.split(markdown)
    for number in range(0, len(parts), 2):
        parts[number] = unescape(unmarked(parts[number]))
    return normalized(" ".join(parts).split())


def unmarked(markdown: str) -> str:
    for pattern, replacement in MARKS:
        markdown = pattern.sub(replacement, markdown)
    return markdown


def normalized(words: list[str]) -> list[str]:
    return [unicodedata.normalize("NFC", word) for word in words]


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_round_trip_of_construct(construct: str, print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    check(documents(blocks("en")[construct]), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


@pytest.mark.parametrize("language", SCRIPTS)
def test_round_trip_of_script(language: str, print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    skip_right_to_left(language, print_pdf)
    check(page_documents(language), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


def test_round_trip_of_mixed_documents(print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    check(mixed_documents(), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_round_trip_of_construct_many(
    construct: str, print_pdf: Print, engine: Engine, tmp_path: Path
) -> None:
    check(documents(blocks("en")[construct]), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES_SLOW)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", SCRIPTS)
@pytest.mark.parametrize("construct", SCRIPT_CONSTRUCTS)
def test_round_trip_of_script_many(
    construct: str, language: str, print_pdf: Print, engine: Engine, tmp_path: Path
) -> None:
    skip_right_to_left(language, print_pdf)
    drawn = documents(blocks(language)[construct], language)
    check(drawn, print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES_SLOW)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_round_trip_of_mixed_documents_many(print_pdf: Print, engine: Engine, tmp_path: Path) -> None:
    check(mixed_documents(), print_pdf, engine, tmp_path / "a.pdf", examples=EXAMPLES_SLOW)


def skip_right_to_left(language: str, print_pdf: Print) -> None:
    if print_pdf is print_with_reportlab and language in RIGHT_TO_LEFT:
        pytest.skip("reportlab does not put right-to-left text in order")
