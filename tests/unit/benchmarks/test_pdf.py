"""The benchmark of PDFs: layouts, differences of words, and figures of a reader."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from random import Random

import pytest

from benchmarks import pdf, pdf_report
from benchmarks.pdf_layouts import LAYOUTS
from tests.support.markdown_words import markdown_words
from tests.support.pdf_printers import CHROMIUM

INLINE_TAGS = re.compile(r"\u00ad|</?(?:a|b|i|sup|sub|code)\b[^>]*>")
STYLES_AND_TAGS = re.compile(r"<style>.*?</style>|<[^>]+>")
TRUTH = "# Terms\n\nThe quay is closed today.\n\n| Item | 2019 |\n|---|---|\n| Rope | 12 |\n"


def file(truth: str = TRUTH, pages: int = 2) -> pdf.File:
    return pdf.File(Path("report_0_chrome.pdf"), truth, pages)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_draws_all_words_of_its_markdown(name: str) -> None:
    drawn = LAYOUTS[name].draw(Random(1))
    printed = unescape(STYLES_AND_TAGS.sub(" ", INLINE_TAGS.sub("", drawn.html()))).casefold().split()
    lost = set(markdown_words(drawn.markdown().casefold())) - set(printed)
    # The browser writes the numbers of lists and footnotes.
    assert [word for word in lost if not re.search(r"\d", word)] == []


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_of_a_seed_is_the_same_again(name: str) -> None:
    assert LAYOUTS[name].draw(Random(3)) == LAYOUTS[name].draw(Random(3))


def test_result_of_the_truth_is_perfect() -> None:
    result = pdf.Result()
    result.add(TRUTH, file(), cpu=0.08)
    values = result.values()
    assert [values[name] for name in pdf.GOALS] == [1, 1, 1, 1]
    assert values["median"] == pytest.approx(40)


def test_result_without_tables_has_no_score_of_tables() -> None:
    result = pdf.Result()
    result.add("Quay", file("Quay"), cpu=0.01)
    assert result.values()["tables"] is None


def test_median_cpu_counts_pages_and_not_files() -> None:
    result = pdf.Result()
    result.add(TRUTH, file(pages=3), cpu=0.03)
    result.add(TRUTH, file(pages=1), cpu=0.5)
    assert result.values()["median"] == pytest.approx(10)


def test_differences_name_lost_and_surplus_words(capsys: pytest.CaptureFixture[str]) -> None:
    pdf.print_differences(file(), TRUTH.replace("quay", "q uay uay"))
    assert capsys.readouterr().out.splitlines()[1:] == ["  lost, 1: quay", "  surplus, 3: q uay ×2"]


def test_goals_are_missed_by_a_text_without_tables() -> None:
    result = pdf.Result()
    result.add("Terms The quay is closed today.", file(), cpu=1)
    checked = pdf.check_goals(result).splitlines()
    assert [line.rpartition(": ")[2] for line in checked] == ["MISSED."] * 5


@pytest.mark.slow
def test_report_has_the_number_of_pages_that_was_asked_for(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("LOUD: Chromium is not installed; the long report was not printed")
    pdf_report.write_report(tmp_path / "report.pdf", 3)
    (tmp_path / "report.gt.md").touch()
    assert [found.pages for found in pdf.find_files(tmp_path)] == [3]
