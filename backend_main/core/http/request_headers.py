"""Headers of a request in the ASGI scope."""

from __future__ import annotations

from .types import Scope


def header(scope: Scope, name: str) -> str | None:
    """Return the value of a header; None without one. Several with one name are one list (RFC 9110, 5.3).

    Args:
        name: The name in lower case.
    """
    key = name.encode()
    values = [value.strip() for header_name, value in scope["headers"] if header_name == key]
    return b",".join(values).decode("latin-1") if values else None
