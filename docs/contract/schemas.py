"""JSON Schemas of types, with the meanings of their fields."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from backend_main.core.protocol import messages

from ..generate import descriptions
from ..generate.protocol import meaning

REF = "#/components/schemas/{name}"
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
CREATE_IMAGE = "image_base64"


def components(kinds: Iterable[Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the schema of each type, and the schemas to which they refer by name."""
    kinds = list(kinds)
    own, named = msgspec.json.schema_components(kinds, ref_template=REF)
    for kind in _structs(kinds):
        _describe(named.get(kind.__name__, {}), kind)
    return list(own), dict(sorted(named.items()))


def request_schema(name: str, kind: type[messages.Request]) -> dict[str, Any]:
    """Return the schema of the frame of a request."""
    fields = msgspec.structs.fields(kind)
    # The parser itself replaces this string by a type of its own.
    types = [str | None if field.name == CREATE_IMAGE else field.type for field in fields]
    schemas, _ = msgspec.json.schema_components(types, ref_template=REF)
    by_name = {}
    for field, schema in zip(fields, schemas, strict=True):
        by_name[field.name] = {**schema, "description": plain(meaning(kind, field.name))}
    inner = {field: by_name[field] for field in sorted(kind.data_fields)}
    outer = {
        field: schema
        for field, schema in by_name.items()
        if field not in kind.data_fields or field in kind.also_top_level
    }
    properties: dict[str, Any] = {"type": {"const": name}, **outer}
    if inner:
        properties["data"] = {"type": ["object", "null"], "properties": inner, "additionalProperties": False}
    required = ["type", *(field.name for field in fields if field.required)]
    return {"type": "object", "properties": properties, "required": required}


def plain(text: str) -> str:
    """Return a description without links, whose targets are pages of the documentation."""
    return LINK.sub(r"\1", text)


def _describe(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    about = descriptions.MESSAGES.get(kind.__name__)
    if about:
        schema["description"] = plain(about)
    for field, inner in schema.get("properties", {}).items():
        found = meaning(kind, field) or descriptions.REST_FIELDS.get(field, "")
        if found and field in kind.__struct_fields__:
            inner["description"] = plain(found)


def _structs(kinds: Iterable[Any]) -> set[type[msgspec.Struct]]:
    """Return the structs among the types, and those inside them."""
    found: set[type[msgspec.Struct]] = set()
    for info in msgspec.inspect.multi_type_info(kinds):
        _collect(info, found)
    return found


def _collect(info: Any, found: set[type[msgspec.Struct]]) -> None:
    if isinstance(info, msgspec.inspect.StructType):
        if info.cls in found:
            return
        found.add(info.cls)
        for field in info.fields:
            _collect(field.type, found)
    for name in ("item_type", "value_type", "type"):
        if isinstance(inner := getattr(info, name, None), msgspec.inspect.Type):
            _collect(inner, found)
    for name in ("types", "item_types"):
        for inner in getattr(info, name, ()):
            _collect(inner, found)
