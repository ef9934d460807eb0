"""Type of an example of the REST reference."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec


class RestExample(NamedTuple):
    """One exchange. `response` is None where the body is not JSON or empty; `kind` is its message type.

    `body` is a JSON object, or None; `file` is the placeholder of a file that is the body. `nested` has the
    type of the objects below a key of the response; a dot leads into the first of these objects.
    """

    query: str = ""
    body: dict[str, Any] | None = None
    file: str = ""
    headers: dict[str, str] = {}
    status: int = 200
    response: dict[str, Any] | None = None
    kind: type[msgspec.Struct] | None = None
    nested: dict[str, type[msgspec.Struct]] = {}
    note: str = ""

    def objects(self, key: str) -> list[dict[str, Any]]:
        """Return the objects below a key of `nested`."""
        value: Any = [self.response]
        for name in key.split("."):
            value = value[0][name]
        return list(value)
