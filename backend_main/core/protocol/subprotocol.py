"""Subprotocol of the WebSocket: a browser that offers some connects only if the server answers with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SUBPROTOCOL = "scanrill.v1"


def answered_subprotocol(scope: Mapping[str, Any]) -> str | None:
    """Return the subprotocol for the response to a handshake; None if the client does not offer it."""
    return SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
