"""Differences of two texts by words."""

from __future__ import annotations

from backend_main.core.exports.text_differences import MAX_COST, matches


def test_matches_of_repeated_words_are_found() -> None:
    words = ["a", "b"] * 1200
    found = matches(["old", *words, "old"], ["new", *words[1:], "new"])
    assert len(found) == len(words) - 1
    assert found == sorted(found)


def test_matches_of_a_part_beyond_the_limit_are_the_ends_alone() -> None:
    words = ["a", "b"] * (int(MAX_COST**0.5) // 2 + 1)
    assert matches(["same", *words, "x", "x"], ["same", "y", "y", *words]) == [(0, 0)]
