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
        "A-12",
        "ES-6",
        "3-14",
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
    [
        "11/30/26, 5:25 AM",
        "30.11.2026, 05:25",
        "2026-11-30 17:25",
        "30/11/2026 17:25",
        "2026/11/30 下午5:25",
        "11/30/26, 5:25 AM Title",
        "Page 1, 30.11.2026 05:25",
    ],
)
def test_has_print_time_of_a_browser(text: str) -> None:
    assert furniture_text.has_print_time(text)


@pytest.mark.parametrize("text", ["30.11.2026", "5:25", "At 30.11.2026, 05:25 they met", "12/30"])
def test_has_print_time_of_other_text_is_false(text: str) -> None:
    assert not furniture_text.has_print_time(text)


@pytest.mark.parametrize(
    ("text", "is_address"),
    [
        ("https://example.org/a?b=1", True),
        ("file:///tmp/x.html", True),
        ("about:blank", True),
        ("www.example.org", False),
        ("see https://example.org for it", False),
    ],
)
def test_has_address_needs_the_scheme_at_an_end_of_the_text(text: str, is_address: bool) -> None:
    assert furniture_text.has_address(text) == is_address


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


@pytest.mark.parametrize(
    ("text", "has_count"),
    [("1/3", True), ("1 of 3", True), ("https://example.org 1/3", True), ("3", False), ("11/30/26", False)],
)
def test_has_page_count_needs_two_numbers_at_an_end(text: str, has_count: bool) -> None:
    assert furniture_text.has_page_count(text) == has_count


@pytest.mark.parametrize(
    ("text", "is_header"),
    [
        ("12 | Chapter 2", True),
        ("A letter, page 2", True),
        ("A letter of page 2", False),
        ("Total 12", False),
    ],
)
def test_has_barred_page_number_needs_a_sign_before_it(text: str, is_header: bool) -> None:
    assert furniture_text.has_barred_page_number(text) == is_header
