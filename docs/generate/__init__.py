"""The reference, written anew from the code at each build; no copy of it is kept.

settings.py       `core/conf.py`
commands.py       the `scanrill` command
protocol.py       `core/protocol.py`; what a request is for, in words, is in words.py
conversations.py  the transcripts of `tests/vectors/`, as a client sees them
rest.py           `backend/urls.py` and the docstrings of its views
errors.py         `core/errors.py`, `reading/errors.py`
decisions.py      `docs/decisions/`
markdown.py       tables, code, anchors
"""

from __future__ import annotations

import os
from collections.abc import Callable

# Django reads its settings when the routes are imported. It wants a secret key then, which `make` gives it.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend_main.backend.settings")

from . import commands, conversations, decisions, errors, protocol, rest, settings

PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings.page_of_settings,
    "reference/command-line.md": commands.page_of_commands,
    "reference/websocket.md": protocol.page_of_protocol,
    "reference/conversations.md": conversations.page_of_conversations,
    "reference/rest.md": rest.page_of_rest,
    "reference/errors.md": errors.page_of_errors,
    "explanation/decisions.md": decisions.page_of_decisions,
}


with_full_links = decisions.with_full_links


def pages() -> dict[str, str]:
    """Path below the site's pages → Markdown, of every generated page."""
    return {path: write() for path, write in PAGES.items()} | decisions.texts()
