"""Characters that are removed from text of strangers, and those that scripts need."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.control_characters import mark_controls, remove_controls

KEPT_FORMAT_CHARACTERS = "\u00ad\u200c\u200d\u200e\u200f\u061c"
ALL = [chr(code) for code in range(0x110000)]


def is_removed(letter: str) -> bool:
    return remove_controls(letter) != letter


def test_remove_controls_removes_all_controls_but_tab_and_newline() -> None:
    controls = {letter for letter in ALL if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs")}
    assert {letter for letter in controls if not is_removed(letter)} == {"\t", "\n"}


def test_remove_controls_removes_all_bidirectional_embeddings_overrides_and_isolates() -> None:
    classes = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    bidi = [letter for letter in ALL if unicodedata.bidirectional(letter) in classes]
    assert len(bidi) == len(classes)
    assert all(map(is_removed, bidi))


def test_remove_controls_keeps_letters_signs_and_format_characters_of_scripts() -> None:
    lost = {letter for letter in ALL if letter.isprintable() and is_removed(letter)}
    assert not lost
    assert not any(map(is_removed, KEPT_FORMAT_CHARACTERS))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b]52;c;ZWNobw==\x07ls", "]52;c;ZWNobw==ls"),
        ("\x9b31mred", "31mred"),
        ("one\r\ntwo\rthree\x85four\u2028five", "one\ntwo three four five"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("pay\u200b\u2060\ufeff\U000e0041 now", "pay now"),
        ("\ufdd0\udcff", ""),
        ("می\u200cخواهم \u200fשלום!\u200e ab", "می\u200cخواهم \u200fשלום!\u200e ab"),
        ("👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f"),
    ],
)
def test_remove_controls_of_samples(text: str, clean: str) -> None:
    assert remove_controls(text) == clean


def test_mark_controls_shows_where_they_were() -> None:
    assert mark_controls("a\x1b[31m\tb\u202e\nc") == "a\ufffd[31m\tb\ufffd\nc"


@given(st.text(), st.text())
def test_remove_controls_of_pieces_is_that_of_the_whole(first: str, second: str) -> None:
    if not (first.endswith("\r") and second.startswith("\n")):
        assert remove_controls(first) + remove_controls(second) == remove_controls(first + second)
    assert remove_controls(remove_controls(first)) == remove_controls(first)
