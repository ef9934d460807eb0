"""Query language of the search.

    words          each is in the text, in any order
    "a phrase"     the words in this order, side by side; the last quotation mark may be missing
    prefix*        a word that begins so
    -word, -"…"    not in the text
    name:word      the file name has the word; name:"a phrase" and name:prefix* too
    status:STATUS  the upload has this status
    after:DATE     created on this day or later (UTC); before:DATE: earlier

The parser is linear, and a query has few terms, so no query is expensive. What a user writes reaches the
database as folded tokens only, never as syntax of the database.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

import msgspec

from ..errors import RequestError
from ..models import Status
from .tokens import QueryTokens, query_tokens

MAX_QUERY_CHARACTERS = 200
MAX_QUERY_TOKENS = 24
# A shorter beginning matches a large share of all words.
MIN_PREFIX_CHARACTERS = 2
_PART = re.compile(
    r'\s*(?P<minus>-?)(?:(?P<key>name|status|before|after):)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))(?P<star>\*?)',
    re.IGNORECASE,
)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Parsed query. An entry matches if it has all of `terms` and none of `excluded`."""

    terms: tuple[QueryTokens, ...] = ()
    excluded: tuple[QueryTokens, ...] = ()
    names: tuple[QueryTokens, ...] = ()
    status: str | None = None
    after: dt.datetime | None = None
    before: dt.datetime | None = None


class _Part(NamedTuple):
    """Part of a query between spaces: `-key:"text"*`."""

    is_excluded: bool
    key: str
    text: str
    is_prefix: bool


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        RequestError: On `q`: the query is too long, has no word, or has an invalid filter.
    """
    if len(text) > MAX_QUERY_CHARACTERS:
        raise _error(f"A query of at most {MAX_QUERY_CHARACTERS} characters is expected.")
    words: dict[str, list[QueryTokens]] = {"terms": [], "excluded": [], "names": []}
    filters: dict[str, str | dt.datetime] = {}
    for part in _parts(text):
        if part.key in ("status", "before", "after"):
            filters[part.key] = _filter_value(part)
        else:
            field = "names" if part.key else "excluded" if part.is_excluded else "terms"
            words[field] += _phrases(part)
    if not (words["terms"] or words["names"]):
        raise _error(
            "The query has no word to search for. Add a word, or name: with a part of the file name."
        )
    if sum(len(phrase.tokens) for phrases in words.values() for phrase in phrases) > MAX_QUERY_TOKENS:
        raise _error(f"The query has more than {MAX_QUERY_TOKENS} words. Leave some out.")
    found = {name: tuple(phrases) for name, phrases in words.items()}
    return msgspec.convert(found | filters, Query)


def _parts(text: str) -> list[_Part]:
    found: list[_Part] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _PART.match(text, at)
        assert match is not None  # a word is anything but a space or a quotation mark
        at = match.end()
        word, key = match["word"] or "", (match["key"] or "").lower()
        is_prefix = bool(match["star"]) or word.endswith("*")
        found.append(_Part(bool(match["minus"]), key, match["phrase"] or word, is_prefix))
        if found[-1].is_excluded and key:
            raise _error(f"{key}: cannot be excluded. Remove the minus sign before it.")
    return found


def _phrases(part: _Part) -> list[QueryTokens]:
    """Return the phrases of a part; none if it has no letter and no digit."""
    phrases = query_tokens(part.text)
    if not (part.is_prefix and phrases):
        return phrases
    last = phrases[-1].tokens
    if len(last[-1]) < MIN_PREFIX_CHARACTERS and not phrases[-1].is_prefix:
        raise _error(
            f"“{part.text}” is too short for a prefix. Write {MIN_PREFIX_CHARACTERS} letters or more."
        )
    return [*phrases[:-1], QueryTokens(last, is_prefix=True)]


def _filter_value(part: _Part) -> str | dt.datetime:
    if part.key == "status":
        if part.text not in Status.values:
            raise _error(f"“{part.text}” is not a valid status. The statuses are {', '.join(Status.values)}.")
        return part.text
    try:
        date = dt.date.fromisoformat(part.text)
    except ValueError:
        raise _error(f"“{part.text}” is not a valid date. Write it as {part.key}:2026-01-31.") from None
    return dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC)


def _error(message: str) -> RequestError:
    return RequestError({"q": message})
