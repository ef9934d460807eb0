"""Generators of the reference pages; each build writes them from the code, and no copy is kept.

settings.py       page of settings, from `core/conf.py`
commands.py       page of commands, from the command line
protocol.py       page of the WebSocket API, from `core/protocol/`
transcripts.py    page of transcripts, from `tests/vectors/`
rest.py           page of the REST API, from `backend/urls.py`
rest_examples.py  examples of the REST API, which tests send to a server
descriptions.py   meanings that the code does not hold
errors.py         page of errors, from `core/errors.py` and `reading/errors.py`
warnings.py       page of codes of warnings, from `reading/warning_codes.py`
library.py        page of the Python library, from the package `scanrill`
python_client.py, typescript_client.py  pages of the clients, from their sources
decisions.py      pages of decisions, from `docs/decisions/`
markdown.py       tables, code blocks, anchors
"""

from __future__ import annotations

import os
from collections.abc import Callable

# Importing the routes loads Django's settings, which need a secret key: `make` sets one.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend_main.backend.settings")

from . import (
    commands,
    decisions,
    errors,
    library,
    protocol,
    python_client,
    rest,
    settings,
    transcripts,
    typescript_client,
    warnings,
)

PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings.page_of_settings,
    "reference/command-line.md": commands.page_of_commands,
    "reference/websocket.md": protocol.page_of_protocol,
    "reference/transcripts.md": transcripts.page_of_transcripts,
    "reference/rest.md": rest.page_of_rest,
    "reference/errors.md": errors.page_of_errors,
    "reference/warnings.md": warnings.page_of_warnings,
    "reference/library.md": library.page_of_library,
    "reference/python-client.md": python_client.page_of_python_client,
    "reference/typescript-client.md": typescript_client.page_of_typescript_client,
    "explanation/decisions.md": decisions.page_of_decisions,
}


def pages() -> dict[str, str]:
    """Return the Markdown of every generated page, by its path below the site's pages."""
    return {path: write() for path, write in PAGES.items()} | decisions.texts()
