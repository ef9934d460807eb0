"""JSON Schema of a finished page, for programs that validate or generate types."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from ...reading.types import SCHEMA_VERSION
from .pages import PageInstance

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def page_schema() -> bytes:
    """Return the schema as JSON. It allows fields that it does not name, since later versions add some."""
    schema: dict[str, Any] = msgspec.json.schema(PageInstance)
    head = {"$schema": DIALECT, "$id": f"urn:scanrill:page:{SCHEMA_VERSION}", "title": "Page of scanrill"}
    return msgspec.json.encode(head | schema)
