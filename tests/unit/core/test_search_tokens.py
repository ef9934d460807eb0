"""Tests of `search.tokens`: the words that the index stores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.core.search.tokens import (
    MAX_TOKEN_CHARACTERS,
    QueryTokens,
    fold,
    query_tokens,
    token_texts,
    tokens,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Invoice No. 4711", ["invoice", "no", "4711"]),
        ("Müller, STRASSE und Straße", ["muller", "strasse", "und", "strasse"]),
        ("naïve façade Ångström Łódź", ["naive", "facade", "angstrom", "lodz"]),
        ("1.234,56", ["1", "234", "56"]),
        ("snake_case foo-bar", ["snake", "case", "foo", "bar"]),
        ("ﬁnal ＡＢＣ", ["final", "abc"]),
        ("发票号", ["发票", "票号", "号"]),
        ("税", ["税"]),
        ("がか", ["がか", "か"]),
        ("회사는", ["회사", "사는", "는"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם", ["שלום"]),
        ("مُحَمَّد أحمد", ["محمد", "احمد"]),
        ("5 发票A", ["5", "发票", "票", "a"]),
        ("… — ***", []),
    ],
)
def test_token_texts_of_scripts(text: str, expected: list[str]) -> None:
    assert token_texts(text) == expected


@given(st.text())
def test_token_texts_equals_tokens_in_order(text: str) -> None:
    found = list(tokens(text))
    assert token_texts(text) == [token.text for token in found]
    assert all(0 <= token.start < token.end <= len(text) for token in found)


@given(st.text())
def test_token_texts_have_no_character_that_a_database_would_interpret(text: str) -> None:
    for token in token_texts(text):
        assert 0 < len(token) <= MAX_TOKEN_CHARACTERS
        assert not any(char.isspace() or (char.isascii() and not char.isalnum()) for char in token)


@given(st.text())
def test_fold_twice_equals_fold_once(text: str) -> None:
    once = fold(text)
    if len(once) < MAX_TOKEN_CHARACTERS:
        assert fold(once) == once


def test_query_tokens_of_mixed_scripts_are_a_phrase_for_each_run() -> None:
    assert query_tokens("Rechnung Nr. 发票号 税") == [
        QueryTokens(("rechnung", "nr")),
        QueryTokens(("发票", "票号")),
        QueryTokens(("税",), is_prefix=True),
    ]
