"""Tests of `search.query.parse`: the query language and its errors."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.core.errors import RequestError
from backend_main.core.search.query import MAX_QUERY_CHARACTERS, MAX_QUERY_TOKENS, Query, parse
from backend_main.core.search.tokens import QueryTokens


def word(*tokens: str) -> QueryTokens:
    return QueryTokens(tokens)


def prefix(*tokens: str) -> QueryTokens:
    return QueryTokens(tokens, is_prefix=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Invoice 4711", Query(terms=(word("invoice"), word("4711")))),
        ('"due date" total', Query(terms=(word("due", "date"), word("total")))),
        ('total "due da', Query(terms=(word("total"), word("due", "da")))),
        ('total "', Query(terms=(word("total"),))),
        ("inv*", Query(terms=(prefix("inv"),))),
        ('"due da*"', Query(terms=(word("due", "da"),))),
        ('"due da"*', Query(terms=(prefix("due", "da"),))),
        ("total -draft", Query(terms=(word("total"),), excluded=(word("draft"),))),
        ('total -"not due"', Query(terms=(word("total"),), excluded=(word("not", "due"),))),
        ("name:invoice", Query(names=(word("invoice"),))),
        ('NAME:"may 2024" total', Query(names=(word("may", "2024"),), terms=(word("total"),))),
        ("total status:processed", Query(terms=(word("total"),), status="processed")),
        (
            "total after:2024-05-01 before:2024-06-01",
            Query(
                terms=(word("total"),),
                after=dt.datetime(2024, 5, 1, tzinfo=dt.UTC),
                before=dt.datetime(2024, 6, 1, tzinfo=dt.UTC),
            ),
        ),
        ("12:30", Query(terms=(word("12", "30"),))),
        ("foo-bar", Query(terms=(word("foo", "bar"),))),
        ("a@b.example", Query(terms=(word("a", "b", "example"),))),
        ("税", Query(terms=(prefix("税"),))),
        ("total — &", Query(terms=(word("total"),))),
        ("OR AND NOT NEAR(", Query(terms=(word("or"), word("and"), word("not"), word("near")))),
    ],
)
def test_parse_valid_query(text: str, expected: Query) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no word"),
        ("  ", "has no word"),
        ("&& --", "has no word"),
        ("-draft", "has no word"),
        ("status:processed", "has no word"),
        ("a*", "“a*” is too short"),
        ("total status:done", "“done” is not a valid status"),
        ("total after:may", "“may” is not a valid date. Write it as after:2026-01-31."),
        ("total -name:x", "name: cannot be excluded"),
        ("x" * (MAX_QUERY_CHARACTERS + 1), "at most 200 characters"),
        ("a " * (MAX_QUERY_TOKENS + 1), "more than 24 words"),
    ],
)
def test_parse_invalid_query_raises_error_on_q(text: str, message: str) -> None:
    with pytest.raises(RequestError) as error:
        parse(text)
    assert message in error.value.fields["q"]


@given(st.text(alphabet=st.sampled_from("ab*-:\" '名name:status")) | st.text())
def test_parse_any_text_returns_a_query_or_an_error_on_q(text: str) -> None:
    query = None
    with suppress(RequestError):
        query = parse(text)
    assert query is None or query.terms or query.names
