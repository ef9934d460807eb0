"""Entries that match a query, ranked within a window of the newest ones.

The rank depends on the matching texts of the user alone. Global statistics, as of BM25 in FTS5, would let
the order of a user's hits depend on the documents of other users.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection

from ..models import Upload, User
from .index import NAME, TEXT, owner_digits, scope_of
from .query import Query
from .tokens import QueryTokens

# Matches that are ranked together, newest first. Their words are read and counted.
WINDOW_ROWS = 100
# Saturation of repeated words, as usual for BM25 (Robertson and Zaragoza 2009), and the length of a page,
# in characters, at which a word counts half as much. A score of at most 1 a term stays below that of a name.
_SATURATION, _LENGTH_CHARACTERS, _NAME_SCORE = 1.2, 3000, 100.0


class Match(NamedTuple):
    """Entry that matches, and how well."""

    entry_id: int
    score: float


class _Dialect(NamedTuple):
    """Fragments of SQL for one database. `CROSS JOIN` keeps SQLite from starting at the uploads."""

    tables: str
    join_upload: str
    matches: str
    entry_id: str


_SQLITE = _Dialect(
    "core_searchindex CROSS JOIN core_searchentry AS entry ON entry.id = core_searchindex.rowid",
    "CROSS JOIN",
    "core_searchindex MATCH %s",
    "core_searchindex.rowid",
)
# `id + 0` is in the index of each user's entries; by the primary key, others' entries would take time.
_POSTGRESQL = _Dialect("core_searchentry AS entry", "JOIN", "entry.vector @@ %s::tsquery", "(entry.id + 0)")
# As `core_searchentry_pairs` in migration 0018.
_PAIR = "hashtext(%s) & 2147418112 | hashtext(%s) & 65535"


def ranked_window(owner: User, query: Query, *, before_id: int | None = None) -> list[Match]:
    """Return the newest matches with an entry id below `before_id`, best first; at most `WINDOW_ROWS`."""
    with connection.cursor() as cursor:
        cursor.execute(*_statement(owner, query, before_id))
        found = [Match(entry_id, _score(scope, words, query)) for entry_id, scope, words in cursor]
    return sorted(found, key=lambda match: (-match.score, -match.entry_id))


def _statement(owner: User, query: Query, before_id: int | None) -> tuple[str, list[Any]]:
    """Return the SQL for the id, scope and words of matching entries, newest first, and its parameters."""
    sql = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    conditions: list[tuple[Any, ...]] = [
        (sql.matches, _match_expression(owner, query)),
        ("entry.owner_id = %s", Upload._meta.pk.get_db_prep_value(owner.pk, connection)),
    ]
    conditions += _phrase_conditions(owner, query.terms or query.names, query.excluded)
    if before_id is not None:
        conditions.append((f"{sql.entry_id} < %s", before_id))
    if query.names and query.terms:
        names = _all_of(query.names, (), scope_of(owner.pk, NAME))
        phrases = _phrase_conditions(owner, query.names)
        named = " AND ".join([sql.matches, *(condition for condition, *_ in phrases)])
        subquery = f"SELECT entry.upload_id FROM {sql.tables} WHERE {named}"  # noqa: S608
        conditions.append(
            (
                f"entry.upload_id IN ({subquery})",
                names,
                *(value for _, *values in phrases for value in values),
            )
        )
    if query.status is not None:
        conditions.append(("upload.status = %s", query.status))
    for time, operator in ((query.after, ">="), (query.before, "<")):
        if time is not None:
            value = connection.ops.adapt_datetimefield_value(time)
            conditions.append((f"upload.created_at {operator} %s", value))
    # Joined only for its filters: PostgreSQL joins all matches before it takes the newest.
    upload = f"{sql.join_upload} core_upload AS upload ON upload.id = entry.upload_id"
    joined = upload if query.status or query.after or query.before else ""
    statement = (  # of constants; values are parameters
        f"SELECT {sql.entry_id}, entry.scope, entry.words"  # noqa: S608
        f" FROM {sql.tables} {joined} WHERE {' AND '.join(condition for condition, *_ in conditions)}"
        f" ORDER BY {sql.entry_id} DESC LIMIT {WINDOW_ROWS}"
    )
    return statement, [value for _, *values in conditions for value in values]


def _match_expression(owner: User, query: Query) -> str:
    """Return the condition on the words of an entry: those of its text, or those of its name."""
    text, name = scope_of(owner.pk, TEXT), scope_of(owner.pk, NAME)
    if not query.terms:
        return _all_of(query.names, query.excluded, name)
    in_text = _all_of(query.terms, query.excluded, text)
    in_name = _all_of((*query.terms, *query.names), query.excluded, name)
    return f"({in_text}) {'OR' if connection.vendor == 'sqlite' else '|'} ({in_name})"


def _all_of(terms: Sequence[QueryTokens], excluded: Sequence[QueryTokens], scope: str) -> str:
    """Return an expression of the full-text search. Tokens have no character that needs quoting."""
    if connection.vendor == "sqlite":
        found = " AND ".join(_fts5_phrase(term, scope) for term in terms)
        return f"({found})" + "".join(f" NOT {_fts5_phrase(term, scope)}" for term in excluded)
    found = " & ".join(_tsquery_words(term, scope) for term in terms)
    words = [term for term in excluded if len(term.tokens) == 1]
    return found + "".join(f" & !{_tsquery_words(term, scope)}" for term in words)


def _fts5_phrase(term: QueryTokens, scope: str) -> str:
    words = " ".join(scope + token for token in term.tokens)
    return f'"{words}"' + ("*" if term.is_prefix else "")


def _tsquery_words(term: QueryTokens, scope: str) -> str:
    """Return a condition on the words of a phrase, in any order: `_phrase_conditions` checks their order."""
    words = " & ".join(f"'{scope}{token}'" for token in term.tokens)
    return f"({words}{':*' if term.is_prefix else ''})"


def _phrase_conditions(
    owner: User, terms: Sequence[QueryTokens], excluded: Sequence[QueryTokens] = ()
) -> list[tuple[Any, ...]]:
    """Return conditions on the order of words for PostgreSQL, whose index has no positions.

    A `tsvector` keeps 255 positions of a word at most, so phrases later in a text would not be found. Hashes
    of neighboring words leave few entries whose words are read.
    """
    if connection.vendor == "sqlite":
        return []
    conditions: list[tuple[Any, ...]] = [
        (f"strpos(entry.words || ' ', %s) {operator} 0", _stored(term))
        for phrases, operator in ((terms, ">"), (excluded, "="))
        for term in phrases
        if len(term.tokens) > 1
    ]
    whole = [term.tokens[:-1] if term.is_prefix else term.tokens for term in terms]
    pairs = sorted({f"{first} {second}" for words in whole for first, second in pairwise(words)})
    if pairs:
        hashes = ", ".join([_PAIR] * len(pairs))
        condition = f"core_searchentry_pairs(entry.words, entry.scope) @> ARRAY[{hashes}]"
        digits = owner_digits(owner.pk)
        conditions.append((condition, *(value for pair in pairs for value in (digits, pair))))
    return conditions


def _stored(term: QueryTokens) -> str:
    """Return the words of a term as they stand in `SearchEntry.words` with a space at its end."""
    return " " + " ".join(term.tokens) + ("" if term.is_prefix else " ")


def _score(scope: str, words: str, query: Query) -> float:
    """Return how well the words of an entry match: more for names, short texts, and repeated words."""
    if scope.endswith(NAME):
        return _NAME_SCORE
    saturation = _SATURATION * (1 + len(words) / _LENGTH_CHARACTERS)
    words += " "
    counts = (words.count(_stored(term)) for term in query.terms)
    return sum(count / (count + saturation) for count in counts)
