"""Generator of the page of the Python client, from the sources of `clients/python`.

The sources are parsed, not imported: the environment of the documentation has no client.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .library import Function, docstring_markdown, function_text
from .markdown import block, joined, page

PACKAGE = Path(__file__).parents[2] / "clients" / "python" / "scanrill_client"
# Modules of the class AsyncClient and of its base classes, in the order of the page.
METHOD_GROUPS = {
    "Client": "async_client",
    "Files and their texts": "event_methods",
    "Exports and images": "file_methods",
    "Readings": "reading_methods",
}
TYPE_GROUPS = {
    "Events": "events",
    "Options": "request_options",
    "Uploads and pages": "messages",
    "Earlier readings": "readings",
    "Search results": "search_results",
    "State of all uploads": "upload_store",
    "Waits": "connection",
    "Delays": "backoff",
    "Files": "upload_file",
    "Tokens": "tokens",
    "API keys": "api_keys",
}


def page_of_python_client() -> str:
    return page(
        "Python client",
        "Every method, event, type and error of the package `scanrill_client`.",
        "[Connect from Python](../how-to/python.md) is an introduction. The class `Client` has the same "
        "methods as `AsyncClient` without `await`; its iterations are plain generators.",
        *(_methods(title, module) for title, module in METHOD_GROUPS.items()),
        *(_types(title, module) for title, module in TYPE_GROUPS.items()),
        _errors(),
    )


def public_names() -> set[str]:
    """Return the names that the package exports."""
    tree = _tree("__init__")
    assigned = next(
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    names: list[str] = ast.literal_eval(assigned.value)
    return set(names)


def _tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{module}.py").read_text())


def _methods(title: str, module: str) -> str:
    [kind] = (node for node in _tree(module).body if isinstance(node, ast.ClassDef))
    if kind.name == "AsyncClient":
        return joined(f"## {title}", _described("AsyncClient", kind), *_described_methods(kind)).strip()
    return joined(f"## {title}", *_described_methods(kind)).strip()


def _described(name: str, kind: ast.ClassDef) -> str:
    constructor = [n for n in kind.body if isinstance(n, Function) and n.name == "__init__"]
    head = function_text(constructor[0], "", name) if constructor and name == "AsyncClient" else ""
    return joined(f"### {name} {{ #{name.lower()} }}", head, _docstring(kind)).strip()


def _described_methods(kind: ast.ClassDef) -> Iterator[str]:
    for node in kind.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            text = function_text(node, ast.get_docstring(node) or "")
            yield f"### {node.name} {{ #{node.name} }}\n\n{text}"


def _types(title: str, module: str) -> str:
    names = public_names()
    parts = []
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            parts.append(_type(node))
        elif isinstance(node, ast.Assign) and (name := ast.unparse(node.targets[0])) in names:
            parts.append(f"### {name} {{ #{name.lower()} }}\n\n{block(ast.unparse(node), 'python')}")
    return joined(f"## {title}", *parts).strip()


def _type(kind: ast.ClassDef) -> str:
    fields = [ast.unparse(n) for n in kind.body if isinstance(n, ast.AnnAssign) and _is_public(n)]
    methods = [
        function_text(n, ast.get_docstring(n) or "")
        for n in kind.body
        if isinstance(n, Function) and not n.name.startswith("_") and ast.get_docstring(n)
    ]
    code = block("\n".join(fields), "python") if fields else ""
    return joined(_described(kind.name, kind), code, *methods).strip()


def _is_public(node: ast.AnnAssign) -> bool:
    return not ast.unparse(node.target).startswith("_")


def _errors() -> str:
    tree = _tree("errors")
    text = ast.get_docstring(tree) or ""
    kinds = (node for node in tree.body if isinstance(node, ast.ClassDef))
    drawn = text.partition("\n\n")[2].rpartition("\n\n")[0]
    return joined("## Errors", block(drawn), *(_described(kind.name, kind) for kind in kinds)).strip()


def _docstring(kind: ast.ClassDef) -> str:
    """Return the docstring; the indented lists of fields, and examples, become blocks."""
    parts = []
    for paragraph in docstring_markdown(ast.get_docstring(kind) or "").split("\n\n"):
        lines = paragraph.splitlines()
        is_list = all("   " in line for line in lines) and len(lines) > 0
        parts.append(block(paragraph) if is_list or paragraph.startswith("    ") else paragraph)
    return joined(*parts).strip()
