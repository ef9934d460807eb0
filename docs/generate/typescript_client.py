"""Generator of the page of the TypeScript client, from the sources of `clients/typescript`."""

from __future__ import annotations

import re
from pathlib import Path

from .markdown import block, joined, page

SOURCES = Path(__file__).parents[2] / "clients" / "typescript" / "src"
GROUPS = {
    "REST": ("rest.ts", "rest-types.ts"),
    "WebSocket": ("socket.ts", "socket-options.ts"),
    "Signing in": ("session.ts", "token.ts", "keys.ts"),
    "Errors": ("errors.ts",),
    "Uploads, pages and messages": ("protocol.ts",),
    "Readings and search": ("readings.ts", "search.ts"),
    "Reconnecting": ("backoff.ts",),
}
# A declaration at the beginning of a line, with its comment, up to the line that ends it.
DECLARATION = re.compile(
    r"(?P<comment>^/\*\*(?:(?!\*/).)*\*/\n)?^export (?:async )?"
    r"(?:(?P<kind>class|interface|function) (?P<block>\w+)(?:[^\n]*\{\}|.*?^\})"
    r"|type (?P<type>\w+) .*?;(?=\n\n|\n?\Z))",
    re.MULTILINE | re.DOTALL,
)
METHOD = re.compile(
    r"  (?P<comment>/\*\*(?:(?!\*/).)*\*/)\n  (?P<head>(?:async |readonly |get |\*)*[a-zA-Z][^\n]*?"
    r"(?:\(\n.*?^  \)[^\n]*?)?)(?: \{| = async| = |;)$",
    re.MULTILINE | re.DOTALL,
)


def page_of_typescript_client() -> str:
    return page(
        "TypeScript client",
        "Every export of the package `scanrill-client` with its declaration.",
        "[Connect from JavaScript](../how-to/javascript.md) is an introduction.",
        *(joined(f"## {title}", *map(_module, names)).strip() for title, names in GROUPS.items()),
    )


def exported_names() -> set[str]:
    """Return the names that the index exports; a module that it exports whole counts with all its names."""
    index = (SOURCES / "index.ts").read_text()
    listed = re.findall(r"export (?:type )?\{(.*?)\}", index, re.DOTALL)
    names = {word.strip().removeprefix("type ") for text in listed for word in text.split(",")} - {""}
    for module in re.findall(r'export (?:type )?\* from "\./(.+?)"', index):
        names |= declared_names(module)
    return names


def declared_names(module: str) -> set[str]:
    return {_name(match) for match in DECLARATION.finditer((SOURCES / module).read_text())}


def _name(match: re.Match[str]) -> str:
    return str(match["block"] or match["type"])


def _module(name: str) -> str:
    exported = exported_names()
    found = DECLARATION.finditer((SOURCES / name).read_text())
    return joined(*(_declaration(match) for match in found if _name(match) in exported)).strip()


def _declaration(match: re.Match[str]) -> str:
    source = match[0].removeprefix(match["comment"] or "").removeprefix("export ")
    if match["kind"] == "class":
        heads = "\n".join(_method(each) for each in METHOD.finditer(source) if "#" not in each["head"])
        source = f"{source.partition(' {')[0]} {{\n{heads}}}"
    elif match["kind"] == "function":
        source = source.partition(" {\n")[0] + ";"
    heading = f"### {_name(match)} {{ #{_name(match).lower()} }}"
    return joined(heading, comment_text(match["comment"] or ""), block(source, "ts")).strip()


def _method(match: re.Match[str]) -> str:
    return f"  {match['comment']}\n  {match['head']};\n"


def comment_text(comment: str) -> str:
    """Return the text of a comment, without its stars."""
    lines = (re.sub(r"^\s*/?\*+/? ?|\s*\*/\s*$", "", line) for line in comment.splitlines())
    return "\n".join(lines).strip()
