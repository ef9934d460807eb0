"""The benchmark of public files: judgement of pages, the list, and the evidence of other programs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks import wild, wild_evidence, wild_files
from benchmarks.wild_files import Project, WildFile
from benchmarks.wild_judging import (
    Outcome,
    PageFacts,
    Verdict,
    disagreement,
    listed_verdicts,
    needs_tesseract,
    outcome,
)
from tests.support.drawn_pdfs import drawn_page, text_at

WORDS = ["the", "quay", "is", "closed", "today", "from", "noon"]
TEXT = " ".join(WORDS)
WARNING = "Page 1 has text that could not be read."


def facts(text: str = TEXT, **fields: object) -> PageFacts:
    return PageFacts(text, **{"layer_words": WORDS, "has_ink": True} | fields)  # type: ignore[arg-type]


# ── judgement ──


def test_page_with_the_words_of_its_text_layer_is_right() -> None:
    assert outcome(facts(), None) is Outcome.RIGHT


def test_page_with_markup_and_other_spaces_is_right() -> None:
    assert (
        outcome(facts("# The **quay**\n\nis closed\\. to<sup>day</sup> | from | noon"), None) is Outcome.RIGHT
    )


def test_page_that_lacks_words_of_its_text_layer_is_suspect() -> None:
    page = facts("the quay is closed")
    assert outcome(page, None) is Outcome.SUSPECT
    assert "today from noon" in disagreement(page).reason  # type: ignore[union-attr]


def test_page_that_lacks_words_with_a_warning_is_warned() -> None:
    assert outcome(facts("the quay", warnings=[WARNING]), None) is Outcome.WARNED


def test_page_that_lacks_words_with_a_note_about_other_images_is_suspect() -> None:
    note = "The file contains 3 images; only the first was read."
    assert outcome(facts("the quay", warnings=[note]), None) is Outcome.SUSPECT


def test_page_with_words_that_nobody_else_finds_is_suspect() -> None:
    assert outcome(facts(TEXT + " uijt mfuufs jt b mpoh"), None) is Outcome.SUSPECT


def test_page_with_words_of_its_pictures_is_right_if_tesseract_finds_them() -> None:
    page = facts(TEXT + " harbour master office", seen_words=["Harbour", "master", "OFFICE"])
    assert outcome(page, None) is Outcome.RIGHT


def test_page_with_its_hidden_words_is_right() -> None:
    assert outcome(facts(TEXT + " paid in full", hidden_words=["paid", "in", "full"]), None) is Outcome.RIGHT


def test_page_without_text_is_right_if_nobody_finds_any() -> None:
    assert outcome(PageFacts("", has_ink=False), None) is Outcome.RIGHT
    assert outcome(PageFacts("", seen_words=[], has_ink=True), None) is Outcome.RIGHT


def test_page_without_text_is_suspect_if_tesseract_finds_some() -> None:
    assert outcome(PageFacts("", seen_words=WORDS, has_ink=True), None) is Outcome.SUSPECT


def test_page_with_text_where_tesseract_finds_none_is_suspect() -> None:
    assert outcome(PageFacts(TEXT, seen_words=[], has_ink=True), None) is Outcome.SUSPECT


def test_page_with_text_where_others_see_no_ink_is_suspect() -> None:
    assert outcome(PageFacts(TEXT, has_ink=False), None) is Outcome.SUSPECT


def test_page_that_no_other_program_reads_is_not_judged_without_a_verdict() -> None:
    assert outcome(PageFacts(TEXT), None) is Outcome.UNJUDGED
    assert outcome(PageFacts(TEXT), Verdict(is_right=True, share=0.0, reason="as printed")) is Outcome.RIGHT


def test_page_with_another_picture_is_suspect() -> None:
    assert outcome(facts(similarity=0.3), None) is Outcome.SUSPECT


def test_page_in_a_script_without_spaces_is_compared_in_pieces() -> None:
    chinese = "码头今天中午以后关闭请使用北门"
    assert outcome(facts(chinese[:8] + "\n" + chinese[8:], layer_words=[chinese]), None) is Outcome.RIGHT
    assert outcome(facts(chinese[:8], layer_words=[chinese]), None) is Outcome.SUSPECT


def test_verdict_wrong_counts_until_the_programs_agree() -> None:
    wrong = Verdict(is_right=False, share=0.5, reason="half of the page is missing")
    assert outcome(facts("the quay"), wrong) is Outcome.SILENT
    assert outcome(facts("the quay", warnings=[WARNING]), wrong) is Outcome.WARNED
    assert outcome(facts(), wrong) is Outcome.RIGHT


def test_verdict_right_holds_until_the_disagreement_grows() -> None:
    page, worse = facts("the quay is closed"), facts("the quay")
    share = disagreement(page).share  # type: ignore[union-attr]
    right = Verdict(is_right=True, share=share, reason="the rest is covered by a picture")
    assert outcome(page, right) is Outcome.RIGHT
    assert outcome(worse, right) is Outcome.SUSPECT


@pytest.mark.parametrize(
    ("page", "is_needed"),
    [
        (facts(), False),
        (facts("the quay"), True),
        (PageFacts("", has_ink=True), True),
        (PageFacts("", has_ink=False), False),
    ],
)
def test_second_opinion_is_asked_where_it_matters(page: PageFacts, *, is_needed: bool) -> None:
    assert needs_tesseract(page) is is_needed


def test_table_counts_pages_by_kind_and_refused_files() -> None:
    reads = [
        wild.FileRead("one/two/a.pdf", "PDF, with text", {1: facts(), 2: facts("the quay")}),
        wild.FileRead("one/two/b.pdf", "PDF, encrypted", error="It needs a password.", is_refused=True),
        wild.FileRead("one/two/c.pdf", "PDF, with text", error="The engine stopped."),
    ]
    text = wild.table(reads, {"one/two/a.pdf#2": Verdict(is_right=False, share=0.7, reason="lost")})
    assert "| PDF, with text | 3 | 1 |  | 1 |  |  | 1 |  |" in text
    assert "| PDF, encrypted | 1 |  |  |  |  | 1 |  |  |" in text
    assert "missed" in text


# ── list ──


def test_list_names_eight_projects_and_each_file_once() -> None:
    projects = wild_files.listed_projects()
    hashes = [sha256 for project in projects for sha256 in project.files.values()]
    assert len(projects) >= 8
    assert len(hashes) == len(set(hashes))
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes)


def test_verdicts_name_listed_files() -> None:
    names = {file.name for file in wild_files.listed_files(Path())}
    assert {page.partition("#")[0] for page in listed_verdicts()} <= names


def test_address_of_a_file_quotes_its_path() -> None:
    file = WildFile(Project("one/two", "abc", "MIT"), "a b/ü.pdf", "", Path())
    assert file.address == "https://raw.githubusercontent.com/one/two/abc/a%20b/%C3%BC.pdf"


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    """Return a directory with one bare repository, of a PDF, its copy and a note."""
    work = tmp_path / "work"
    work.mkdir()
    for name, content in {"a.pdf": b"%PDF" * 99, "copy.pdf": b"%PDF" * 99, "note.txt": b"n" * 300}.items():
        (work / name).write_bytes(content)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "files"]):
        subprocess.run(["git", *command], cwd=work, check=True)
    target = tmp_path / "mirrors" / "one+two" / "repo"
    subprocess.run(["git", "clone", "-q", "--bare", work, target], check=True)
    return tmp_path / "mirrors"


def test_sample_and_fetch_from_a_mirror(mirrors: Path, tmp_path: Path) -> None:
    project = wild_files.sampled_project(mirrors, "one/two", "MIT", pdfs=5, images=5, known=set())
    assert list(project.files) == ["a.pdf"]
    file = WildFile(project, "a.pdf", project.files["a.pdf"], tmp_path / "files" / "a.pdf")
    assert wild_files.fetch([file], mirrors) == []
    assert hashlib.sha256(file.local.read_bytes()).hexdigest() == file.sha256


def test_fetch_of_a_file_with_another_hash_writes_nothing(mirrors: Path, tmp_path: Path) -> None:
    project = wild_files.sampled_project(mirrors, "one/two", "MIT", pdfs=5, images=5, known=set())
    file = WildFile(project, "a.pdf", "0" * 64, tmp_path / "files" / "a.pdf")
    (problem,) = wild_files.fetch([file], mirrors)
    assert "hash differs" in problem
    assert not file.local.exists()


# ── evidence ──


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_white_words_of_a_pdf_are_hidden_words(tmp_path: Path) -> None:
    path = tmp_path / "page.pdf"
    path.write_bytes(drawn_page(f"{text_at(72, 700, 'Quay')} 1 g {text_at(72, 600, 'Unseen')}"))
    page = wild_evidence.pdf_page(path, 1)
    assert page is not None
    assert (page.drawn_words, page.hidden_words, page.has_ink) == (["Quay"], ["Unseen"], True)


def test_similarity_ignores_inversion_and_finds_another_picture() -> None:
    ramp = np.tile(np.arange(96, dtype=np.uint8), (96, 1))
    assert wild_evidence.similarity(ramp, 255 - ramp) == pytest.approx(1)
    assert wild_evidence.similarity(ramp, np.ascontiguousarray(ramp.T)) == pytest.approx(0, abs=0.1)
    assert wild_evidence.similarity(ramp, np.zeros_like(ramp)) is None
