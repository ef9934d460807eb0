"""Differences of texts by words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend_main.core.exports.text_differences import Edit, apply_edits, edits, matches, tokens_of, transfer

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "the", "of", "x1", "x2", "\u4f60"]), max_size=12)


def changed(old: str, new: str) -> str:
    tokens = tokens_of(old)
    return apply_edits(old, tokens, edits(tokens, new))


@given(WORDS, WORDS)
def test_edits_turn_one_text_into_the_other(old: list[str], new: list[str]) -> None:
    assert changed(" ".join(old), " ".join(new)).split() == " ".join(new).split()


@given(WORDS, WORDS)
def test_matches_are_equal_words_in_order(old: list[str], new: list[str]) -> None:
    found = matches(old, new)
    assert all(old[i] == new[j] for i, j in found)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(found))


def test_edits_of_one_word_for_one_word_are_separate() -> None:
    assert edits(tokens_of("a b c d"), "a x y d") == [Edit(1, 2, "x"), Edit(2, 3, "y")]


def test_edits_keep_white_space_of_the_old_text() -> None:
    assert changed("one\n\ntwo  three", "one 2 three") == "one\n\n2  three"


def test_transfer_finds_the_words_in_another_rendition() -> None:
    base, target = "alpha beta gamma", "page 1 alpha | beta footer gamma"
    moved = transfer(edits(tokens_of(base), "alpha BETA gamma delta"), tokens_of(base), tokens_of(target))
    result = apply_edits(target, tokens_of(target), moved)
    assert result == "page 1 alpha | BETA footer gamma delta"


def test_matches_of_long_texts_use_words_that_occur_once() -> None:
    old = [f"word{n}" if n % 5 == 0 else "the" for n in range(20_000)]
    new = [*old[:10_000], "new", *old[10_001:]]
    new[3], new[-3] = "other", "other"
    assert len(matches(old, new)) == len(old) - 3
