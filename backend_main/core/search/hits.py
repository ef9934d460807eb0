"""Hits of a search: snippets with the places of the words, and the lines and boxes of a page that match."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast

from ...reading.types import Box, Word
from ..db.retry import retry_transient
from ..db.settings import read_snapshot
from ..errors import RequestError
from ..models import Page, SearchEntry, Upload, User
from ..protocol import serializers
from ..protocol.search_results import SearchField, SearchHit, SearchLine, SearchResults, Snippet
from ..uploads import page_content
from ..uploads.packed_words import unpack_words
from . import index
from .marks import Mark, marks
from .matches import WINDOW_ROWS, Match, ranked_window
from .query import Query, parse
from .tokens import QueryTokens

DEFAULT_LIMIT = 20
SNIPPET_CHARACTERS = 240
# Characters before the first word of a snippet.
LEAD_CHARACTERS = 60
# Parts of a text in which the first word is looked for: its start, a page, then the 16,000 words that the
# index holds. Each MiB takes 0.5 s, and a correction may have many.
SNIPPET_PARTS_CHARACTERS = (1024, 16 * 1024, 256 * 1024)
# Lines of one hit; the page itself has the others.
MAX_LINES = 50


class Position(NamedTuple):
    """Place of the next hit: in the window of matches with entry ids below `before_id`."""

    before_id: int | None
    offset: int


@retry_transient
def search(*, owner: User, q: str, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> SearchResults:
    """Return hits of a query in the user's file names, page texts and corrections, best first.

    The newest `WINDOW_ROWS` matches are ranked; older ones follow, ranked in the same way.

    Raises:
        RequestError: On `q` or `cursor` if it is invalid.
    """
    query = parse(q)
    position = Position(None, 0) if cursor is None else _decode(cursor)
    with read_snapshot():
        window = ranked_window(owner, query, before_id=position.before_id)
        shown = window[position.offset : position.offset + limit]
        return SearchResults(
            hits=_hits(owner, query, shown),
            next=_next(position, window, position.offset + len(shown)),
            complete=index.is_complete(owner.pk),
        )


def _next(position: Position, window: list[Match], offset: int) -> str | None:
    """Return the cursor after `offset` hits of a window; None at the end."""
    ids = [match.entry_id for match in window]
    if offset < len(window):
        # A bound, so that texts that come meanwhile shift nothing.
        return _encode(Position(position.before_id or max(ids) + 1, offset))
    return _encode(Position(min(ids), 0)) if len(window) == WINDOW_ROWS else None


def _hits(owner: User, query: Query, matches: Sequence[Match]) -> list[SearchHit]:
    entries = SearchEntry.objects.filter(owner_id=owner.pk).defer("words")
    found = entries.in_bulk([match.entry_id for match in matches])
    shown = [found[match.entry_id] for match in matches]
    uploads = Upload.objects.owned_by(owner).defer("raw_text", "plain_text")
    found_uploads = uploads.in_bulk({entry.upload_id for entry in shown})
    pages = _pages(entry.page_id for entry in shown if entry.page_id is not None)
    hits = []
    for entry in shown:
        upload = found_uploads[entry.upload_id]
        upload.owner = owner
        if entry.page_id is not None:
            hits.append(_page_hit(upload, *pages[entry.page_id], query.terms))
        else:
            hits.append(_upload_hit(upload, query, is_name=entry.scope.endswith(index.NAME)))
    return hits


def _upload_hit(upload: Upload, query: Query, *, is_name: bool) -> SearchHit:
    """Return the hit in the file name or in the correction of an upload."""
    field: SearchField = "filename" if is_name else "correction"
    text = upload.filename if is_name else (upload.correction or "")
    terms = (*query.terms, *query.names) if is_name else query.terms
    return SearchHit(upload=serializers.instance(upload), field=field, snippet=_snippet(text, terms))


def _pages(ids: Iterable[int]) -> dict[int, tuple[Page, str]]:
    """Return pages by their ids, each with the JSON of its lines, which is slow to decode as a whole."""
    pages = Page.objects.only("number", "width", "height", "text", "correction", "words")
    with_lines = pages.filter(pk__in=list(ids)).annotate(stored_lines=Cast("lines", TextField()))
    return {page.pk: (page, page.stored_lines) for page in with_lines}


def _page_hit(upload: Upload, page: Page, lines: str, terms: Sequence[QueryTokens]) -> SearchHit:
    return SearchHit(
        upload=serializers.instance(upload),
        field="page",
        snippet=_snippet(page.processed_text, terms),
        page=page.number,
        width=page.width,
        height=page.height,
        lines=_lines(page, lines, terms),
    )


def _snippet(text: str, terms: Sequence[QueryTokens]) -> Snippet:
    """Return the part of a text with the first words of the query, cut between words."""
    places = _first_places(text, terms)
    first = places[0][0] if places else 0
    start = 0 if first <= LEAD_CHARACTERS else _word_start(text, first - LEAD_CHARACTERS, first)
    end = min(len(text), start + SNIPPET_CHARACTERS)
    if end < len(text):
        end = max(text.rfind(" ", start, end), first + 1) if " " in text[first:end] else end
    shown = [(at - start, min(stop, end) - start) for at, stop in places if at < end]
    return Snippet(text=text[start:end], marks=shown)


def _first_places(text: str, terms: Sequence[QueryTokens]) -> list[tuple[int, int]]:
    """Return the places of the terms in the shortest part of a text that has a whole snippet with one."""
    places: list[tuple[int, int]] = []
    for size in SNIPPET_PARTS_CHARACTERS:
        places = _places_in(text[:size], terms)
        if len(text) <= size or (places and places[0][0] + SNIPPET_CHARACTERS < size):
            break
    return places


def _places_in(text: str, terms: Sequence[QueryTokens]) -> list[tuple[int, int]]:
    """Return the places of the terms in a text, which is divided at its line breaks."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return [(starts[mark.text] + mark.start, starts[mark.text] + mark.end) for mark in marks(lines, terms)]


def _word_start(text: str, at: int, before: int) -> int:
    """Return the start of the first word from `at` on, if it is before `before`."""
    space = text.find(" ", at, before)
    return at if space < 0 else space + 1


def _lines(page: Page, stored: str, terms: Sequence[QueryTokens]) -> list[SearchLine]:
    """Return the lines of a page with words of the query, from the JSON of its lines."""
    lines = page_content.line_texts(stored)
    texts = [line.text for line in lines]
    places: dict[int, list[Mark]] = defaultdict(list)
    for mark in marks(texts, terms):
        places[mark.text].append(mark)
    shown = dict(list(places.items())[:MAX_LINES])
    no_words: Sequence[tuple[Word, ...]] = [()] * len(lines)
    words = no_words if page.words is None else unpack_words(bytes(page.words), texts, only=shown)
    return [
        SearchLine(
            line=number,
            text=texts[number],
            marks=[(mark.start, mark.end) for mark in found],
            boxes=_boxes(lines[number].box, words[number], found),
        )
        for number, found in shown.items()
    ]


def _boxes(line_box: Box | None, words: Sequence[Word], places: Sequence[Mark]) -> list[Box]:
    """Return the boxes of the marked words, or of the line if its words have none."""
    boxes = [
        word.box
        for word in words
        if word.box is not None
        and any(place.start < word.start + len(word.text) and word.start < place.end for place in places)
    ]
    return boxes or ([line_box] if line_box is not None else [])


def _encode(position: Position) -> str:
    text = f"{position.before_id}:{position.offset}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> Position:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        before_id, _, offset = text.partition(":")
        position = Position(int(before_id), int(offset))
        if not (0 < int(before_id) < 2**63 and 0 <= position.offset <= WINDOW_ROWS):
            raise ValueError("out of range")
    except ValueError:  # binascii.Error and UnicodeDecodeError are ValueErrors
        message = "Invalid cursor. Use `next` from the previous response."
        raise RequestError({"cursor": message}) from None
    return position
