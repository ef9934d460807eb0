"""Logical order of right-to-left lines from the order in which they are seen."""

import pytest

from backend_main.reading.documents.pdf_bidi import logical_order, with_matching_brackets


@pytest.mark.parametrize(
    ("seen", "logical"),
    [
        ("םולש", "שלום"),
        ("םלוע םולש", "שלום עולם"),
        ("2024 תנש", "שנת 2024"),
        ("1.234,56 ריחמ", "מחיר 1.234,56"),
        ("ב python 3 א", "א python 3 ב"),
        ("ג two words ב", "ב two words ג"),
        ("15% ריחמ", "מחיר 15%"),
        ("the word םולש here", "the word שלום here"),
        ("the words םלוע םולש are here", "the words שלום עולם are here"),
        (".ףוס", "סוף."),
        ("%5 مصخ", "خصم 5%"),
        ("5% ריחמ", "מחיר 5%"),
    ],
)
def test_logical_order(seen: str, logical: str) -> None:
    from_right = not logical.startswith("the")
    assert "".join(logical_order(list(seen), str, from_right=from_right)) == logical


def test_with_matching_brackets_of_mirrored_ones() -> None:
    assert with_matching_brackets("א )ב( ג") == "א (ב) ג"


def test_with_matching_brackets_keeps_those_that_match() -> None:
    assert with_matching_brackets("א (ב) ג") == "א (ב) ג"
