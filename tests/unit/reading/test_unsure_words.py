"""Tests of unsure words: the search for likely ones, and their use on pages in English."""

from collections.abc import Mapping

import numpy as np
import pytest

from backend_main.reading.documents.document import PageImage
from backend_main.reading.engines.rapid.unsure_words import (
    UnsureWord,
    beam_search,
    most_likely,
    unsure_words,
)
from backend_main.reading.english_words import english_words, is_english
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.inference import Floats
from backend_main.reading.likely_words import with_likely_words
from backend_main.reading.page_reader import PageReader
from backend_main.reading.types import Line, Options
from tests.support.fake_engines import FakeEngine

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CHARACTERS = ["", *LETTERS, *LETTERS.upper(), *"0123456789.,:é", " "]
BLANK = "_"
BLANK_PAGE = PageImage(1, np.full((200, 300, 3), 255, np.uint8), 300, 200)
ENGLISH = "The institution shall provide every applicant with written copies of this agreement before signing"
GERMAN = "Jeder Mensch hat das Recht auf Mitgestaltung der öffentlichen Angelegenheiten seines Staates"

Steps = list[str | dict[str, float]]


def probabilities(steps: Steps) -> Floats:
    """Return (steps, classes). A step is a character, or characters with their probabilities."""
    found = np.zeros((len(steps), len(CHARACTERS)), np.float32)
    for row, step in zip(found, steps, strict=True):
        for character, probability in ({step: 1.0} if isinstance(step, str) else step).items():
            row[0 if character == BLANK else CHARACTERS.index(character)] = probability
    return found


def found(*steps: str | dict[str, float]) -> list[tuple[str, str]]:
    rows = probabilities(list(steps))
    return [(word.word, word.likely) for word in unsure_words(rows.argmax(axis=1), rows, CHARACTERS)]


def test_beam_search_adds_the_alignments_of_a_text() -> None:
    texts = beam_search(probabilities([{"a": 0.6, BLANK: 0.4}, {"a": 0.6, BLANK: 0.4}]))
    first = CHARACTERS.index("a")
    assert texts[first,] == pytest.approx(1 - 0.4**2)
    assert texts[()] == pytest.approx(0.4**2)


def test_beam_search_repeats_a_letter_only_after_a_blank() -> None:
    first = CHARACTERS.index("a")
    assert beam_search(probabilities(["a", "a"])) == {(first,): 1.0}
    assert beam_search(probabilities(["a", BLANK, "a"])) == {(first, first): 1.0}


def test_unsure_words_of_a_lost_letter_has_the_word() -> None:
    steps: Steps = [*"INST", {BLANK: 0.7, "I": 0.3}, *"TUTION"]
    assert found(*steps) == [("INSTTUTION", "INSTITUTION")]


def test_unsure_words_of_a_wrong_letter_keeps_the_marks_around_the_word() -> None:
    assert found(*"sig", {"m": 0.6, "n": 0.4}, *"ature:") == [("sigmature:", "signature:")]


def test_unsure_words_of_an_accent_on_an_english_word_leaves_it_out() -> None:
    assert found(*"proj", {"é": 0.6, "e": 0.4}, *"ct") == [("projéct", "project")]


def test_unsure_words_of_a_digit_for_a_letter_has_the_word() -> None:
    assert found(*"bil", {"1": 0.6, "l": 0.2, BLANK: 0.2}) == []
    assert found(*"bi1", BLANK, {"1": 0.6, "l": 0.4}) == []
    assert found(*"tit", {"1": 0.6, "l": 0.4}, "e") == [("tit1e", "title")]


def test_unsure_words_are_those_between_spaces() -> None:
    line = [*"the ", *"sig", {"m": 0.6, "n": 0.4}, *"ature is"]
    assert found(*line) == [("sigmature", "signature")]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([*"sig", {"m": 0.99, "n": 0.01}, *"ature"], id="sure"),
        pytest.param([*"sig", {"m": 0.97, "x": 0.02, "n": 0.01}, *"ature"], id="unlikely"),
        pytest.param([*"coa", {"t": 0.6, "l": 0.4}, "s"], id="a word as it is"),
        pytest.param([*"ALA", {"M": 0.6, "N": 0.4}], id="a short rare word"),
        pytest.param([*"ST", {"4": 0.6, "A": 0.4}, "T", {"3": 0.6, "E": 0.4}], id="a code"),
        pytest.param([*"grant", {"2": 0.6, BLANK: 0.4}], id="a footnote mark"),
        pytest.param([*"sig", {"m": 0.6, "N": 0.4}, *"ature"], id="mixed case"),
        pytest.param([*"th", {"a": 0.6, "e": 0.4}], id="three letters"),
        pytest.param([], id="an empty line"),
    ],
)
def test_unsure_words_has_no_word_that_is(steps: Steps) -> None:
    assert not found(*steps)


def test_most_likely_of_two_readings_is_the_one_of_higher_ratio() -> None:
    words = {UnsureWord("TTLE", "TITLE", 0.2), UnsureWord("TTLE", "TILED", 0.1)}
    assert most_likely(words) == {"TTLE": "TITLE"}


def test_english_words_are_in_one_of_two_sets() -> None:
    words = english_words()
    assert {"title", "must", "signature"} <= words.common
    assert "alan" in words.others
    assert words.has("title")
    assert words.has("alan")
    assert not words.has("staates")
    assert not words.common & words.others


@pytest.mark.parametrize(
    ("text", "is_it"), [(ENGLISH, True), (GERMAN, False), ("The institution provides", False)]
)
def test_is_english_needs_words_and_most_of_them_english(text: str, *, is_it: bool) -> None:
    assert is_english([text]) is is_it


def line(text: str) -> Line:
    return Line(1, text, f"\n\n{text}", confidence=0.9)


def test_with_likely_words_on_an_english_page_replaces_them() -> None:
    lines = with_likely_words([line(ENGLISH), line("the sigmature:")], {"sigmature:": "signature:"})
    assert [one.text for one in lines] == [ENGLISH, "the signature:"]
    assert lines[1] == line("the signature:")


def test_with_likely_words_on_a_german_page_keeps_its_words() -> None:
    lines = [line(GERMAN)]
    assert with_likely_words(lines, {"Staates": "States"}) == lines


class UnsureEngine(FakeEngine):
    """Engine that is not sure of one word."""

    def unsure_words(self) -> Mapping[str, str]:
        return {"sigmature": "signature"}


def test_page_reader_uses_likely_words_in_its_final_text() -> None:
    reader = PageReader(UnsureEngine(ENGLISH, "the sigmature"), BLANK_PAGE, Options(), FallbackEngines())
    streamed = [line.text for line in reader.stream()]
    assert streamed == [ENGLISH, "the sigmature"]
    assert [line.text for line in reader.lines] == [ENGLISH, "the signature"]
    assert reader.formatted.markdown.endswith("the signature")
