"""Hits of a search: snippets with the places of the words, and the lines and boxes of a page that match."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..db.retry import retry_transient
from ..errors import RequestError
from ..models import Page, SearchEntry, Upload, User
from ..protocol.messages import SearchHit, SearchLine, SearchResults, Snippet
from . import index
from .matches import Match, WINDOW_ROWS, ranked_window
from .query import Query, parse
from .tokens import QueryTokens, Token, tokens

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
SNIPPET_CHARACTERS = 240
# Characters before the first word of a snippet.
LEAD_CHARACTERS = 60
MAX_LINES = 50
