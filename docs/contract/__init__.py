"""Generator of the contracts: OpenAPI 3.1 of the REST API, and AsyncAPI 3.0 of the WebSocket API.

`python -m docs.contract` writes both documents to `backend_main/contract/`; a test compares them. The types
come from `core/protocol/`, the routes from `backend/urls.py`, the meanings from `docs/generate/`.

responses.py   types of the responses that the server builds without a type of the protocol
operations.py  table of the routes: what each receives and returns, and its errors
schemas.py     JSON Schemas of the types, with the meanings of their fields
openapi.py     document of the REST API
asyncapi.py    document of the WebSocket API
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import asyncapi, openapi

FOLDER = Path(__file__).parents[2] / "backend_main" / "contract"
DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "openapi.json": openapi.document,
    "asyncapi.json": asyncapi.document,
}


def texts() -> dict[str, str]:
    """Return the JSON of each document by its file name."""
    return {name: json.dumps(make(), indent=1, ensure_ascii=False) + "\n" for name, make in DOCUMENTS.items()}


def write() -> None:
    """Write the documents that the server sends."""
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
