"""Helpers that write Markdown for the generated pages."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, get_type_hints

import msgspec

# Coordinates: two numbers go on one line.
PAIR = re.compile(r"\[\s+(\d+(?:\.\d+)?),\s+(\d+(?:\.\d+)?)\s+\]")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(value: object) -> str:
    """Format a value as inline code; an empty value gives an empty string."""
    return f"`{value}`" if str(value) else ""


def block(text: str, language: str = "text", title: str = "") -> str:
    mark = f'{language} title="{title}"' if title else language
    return f"```{mark}\n{text}\n```"


def json_block(value: Any, title: str = "") -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return block(PAIR.sub(r"[\1, \2]", text), "json", title)


def indented(text: str, by: int = 4) -> str:
    return "\n".join(" " * by + line if line else line for line in text.split("\n"))


def joined(*parts: str) -> str:
    """Join blocks by blank lines, without the empty ones."""
    return "\n\n".join(part for part in parts if part) + "\n"


def own_docstring(thing: Any) -> str:
    """Return the docstring of the object itself, not that of a base class."""
    return inspect.cleandoc(vars(thing).get("__doc__") or "")


def type_hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the types of a struct's fields in order; a field named `list` does not hide the type `list`."""
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]), {}, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}


def first_sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def page(title: str, about: str, *parts: str) -> str:
    return joined(f"---\ndescription: {json.dumps(about)}\n---", f"# {title}", about, *parts)
