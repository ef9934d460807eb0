"""Texts of page furniture."""

import pytest

from backend_main.reading.layout import furniture_text


@pytest.mark.parametrize(
    "text",
    [
        "17",
        "- 3 -",
        "— 12 —",
        "Page 3 of 9",
        "page 3/9",
        "Seite 3 von 9",
        "S. 12",
        "3 / 9",
        "xiv",
        "Page IV",
        "第 3 页",
        "第3页 共9页",
        "[12]",
        "· 7 ·",
        "Página 2 de 5",
        "Стр. 4",
    ],
)
def test_is_page_number_of_a_page_number(text: str) -> None:
    assert furniture_text.is_page_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "civil",
        "mix it",
        "12 345",
        "Page",
        "1.5",
        "12 %",
        "€ 12",
        "2024-05-01",
        "A",
        "I",
        "XIV",
        "Total 12",
        "12345",
    ],
)
def test_is_page_number_of_other_text_is_false(text: str) -> None:
    assert not furniture_text.is_page_number(text)


@pytest.mark.parametrize(
    ("text", "is_marked"), [("Page 3", True), ("1/3", True), ("- 4 -", True), ("4", False), ("iv", False)]
)
def test_is_marked_page_number_needs_a_word_or_a_sign(text: str, is_marked: bool) -> None:
    assert furniture_text.is_marked_page_number(text) == is_marked


@pytest.mark.parametrize(
    "text",
    ["11/30/26, 5:25 AM", "30.11.2026, 05:25", "2026-11-30 17:25", "30/11/2026 17:25", "2026/11/30 下午5:25"],
)
def test_is_print_time_of_a_browser(text: str) -> None:
    assert furniture_text.is_print_time(text)


@pytest.mark.parametrize("text", ["30.11.2026", "5:25", "Meeting 30.11.2026, 05:25", "12/30"])
def test_is_print_time_of_other_text_is_false(text: str) -> None:
    assert not furniture_text.is_print_time(text)


@pytest.mark.parametrize(
    ("text", "is_address"),
    [
        ("https://example.org/a?b=1", True),
        ("file:///tmp/x.html", True),
        ("about:blank", True),
        ("www.example.org", False),
        ("see https://example.org", False),
    ],
)
def test_is_address_needs_the_scheme_at_the_start(text: str, is_address: bool) -> None:
    assert furniture_text.is_address(text) == is_address


@pytest.mark.parametrize(
    "text",
    [
        "Downloaded from https://example.org by guest on 1 May 2024",
        "Licensed to A. Reader",
        "arXiv:2301.00001v2 [cs.CL]",
        "This article was downloaded by: [University]",
        "Authorized licensed use limited to: X",
        "arXiv:hep-th/9901001v1",
    ],
)
def test_is_notice_of_a_download_or_preprint(text: str) -> None:
    assert furniture_text.is_notice(text)


@pytest.mark.parametrize(
    "text", ["Downloaded files are kept", "Licensed software", "Printed matter", "arXiv is a server"]
)
def test_is_notice_of_a_sentence_is_false(text: str) -> None:
    assert not furniture_text.is_notice(text)


@pytest.mark.parametrize(
    ("text", "is_watermark"),
    [("DRAFT", True), ("Confidential", True), ("ENTWURF", True), ("PAID", False), ("Draft plan", False)],
)
def test_is_watermark_of_words_that_mark_copies(text: str, is_watermark: bool) -> None:
    assert furniture_text.is_watermark(text) == is_watermark


def test_masked_replaces_numbers_and_folds_case() -> None:
    assert furniture_text.masked("Page 12  of 340") == furniture_text.masked("PAGE 3 of 9") == "page # of #"
