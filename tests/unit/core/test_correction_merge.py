"""Merge of a person's correction with a new reading of the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.core.uploads import correction_merge
from backend_main.core.uploads.correction_merge import Merge, merge_correction

texts = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("old", "correction", "new", "expected"),
    [
        # The person corrected one word, the new reading has another one right.
        ("the qvick brovvn fox", "the quick brovvn fox", "the qvick brown fox", "the quick brown fox"),
        # Both have the same word right.
        ("the qvick fox", "the quick fox", "the quick fox", "the quick fox"),
        # The person added a line that no engine reads.
        ("Dear Ada", "Dear Ada\nSigned: B.", "Dear Adam", "Dear Adam\nSigned: B."),
        # The person removed a word of noise; the new reading has no change there.
        ("noise Total 12", "Total 12", "noise Total 12.00", "Total 12.00"),
        ("", "typed by hand", "", "typed by hand"),
        ("1 2", "1 2 3", "0 1 2", "0 1 2 3"),
    ],
)
def test_merge_correction_keeps_changes_of_both_sides(
    old: str, correction: str, new: str, expected: str
) -> None:
    assert merge_correction(old=old, correction=correction, new=new) == Merge(expected, 0)


def test_merge_correction_keeps_words_of_the_person_in_a_conflict() -> None:
    merged = merge_correction(old="Total 12.00 EUR", correction="Total 12.50 EUR", new="Sum 17.00 EUR")
    assert merged == Merge("Sum 12.50 EUR", 1)


def test_merge_correction_two_insertions_at_one_place_are_a_conflict() -> None:
    merged = merge_correction(old="a b", correction="a x b", new="a y b")
    assert merged.text == "a x b"
    assert merged.conflicts == 1


def test_merge_correction_of_a_long_text_keeps_the_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correction_merge, "MAX_TOKENS", 3)
    assert merge_correction(old="a b", correction="A b", new="a B c") == Merge("A b", 1)


@given(old=texts, other=texts)
def test_merge_correction_of_one_changed_side_is_that_side(old: str, other: str) -> None:
    assert merge_correction(old=old, correction=old, new=other) == Merge(other, 0)
    assert merge_correction(old=old, correction=other, new=old) == Merge(other, 0)
    assert merge_correction(old=old, correction=other, new=other) == Merge(other, 0)


@given(old=texts, correction=texts, new=texts)
def test_merge_correction_conflicts_are_counted_for_any_text(old: str, correction: str, new: str) -> None:
    merged = merge_correction(old=old, correction=correction, new=new)
    reverse = merge_correction(old=old, correction=new, new=correction)
    assert merged.conflicts == reverse.conflicts
    if not merged.conflicts:
        assert merged.text == reverse.text
