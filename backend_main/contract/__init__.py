"""Contracts of the server's APIs, which `docs/contract/` generates and the server sends.

openapi.json   REST API, in OpenAPI 3.1
asyncapi.json  WebSocket API, in AsyncAPI 3.0
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def document(name: str) -> bytes:
    """Return a document by its file name."""
    return resources.files(__name__).joinpath(name).read_bytes()
