"""Generator of the page of the Python library, from the signatures and docstrings of `scanrill`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any, is_typeddict

import scanrill
import scanrill._sources
from backend_main.reading import errors, types

from .errors import tree_of
from .markdown import block, code, first_sentence, joined, page, table

GROUPS = {
    "Read a document": ("read", "read_markdown", "Source", "BinaryFile", "Options", "OptionFields"),
    "Events": ("ReadEvent", "PageStarted", "Line", "PageDone", "PageWarning", "WarningCode", "Box"),
    "Content of a page": ("Word", "Block", "BlockType", "TableCell"),
    "Engines": ("known_engines", "engine_info", "EngineInfo", "load_engine"),
    "Read in a child process": ("EngineProcess", "BatchedEvent", "LinesRead"),
    "Write an engine": ("Engine", "PageImage", "MarkdownWriter", "PageRestarted", "PageFailed"),
}
VERSION = "__version__"
SECTION = re.compile(r"^(Args|Returns|Raises):\n", re.MULTILINE)
SECTION_TITLES = {"Args": "Arguments", "Returns": "Returns", "Raises": "Raises"}
ENTRY = re.compile(r"^(\w+): ", re.MULTILINE)
MAX_SIGNATURE_CHARACTERS = 90
Function = ast.FunctionDef | ast.AsyncFunctionDef


def page_of_library() -> str:
    return page(
        "Python library",
        "Every public name of the package `scanrill`.",
        "[Read files in Python](../how-to/library.md) is an introduction. Import names from `scanrill` only: "
        "every other module may change. "
        f"`scanrill.{VERSION}` is the version.",
        *(joined(f"## {title}", *map(_section, names)).strip() for title, names in GROUPS.items()),
        "## Errors",
        "Each error has a message for the person who sent the file, without a path or a traceback.",
        block(tree_of(errors.__doc__)),
        *(f"### {name} {{ #{name.lower()} }}\n\n{_text(getattr(scanrill, name))}" for name in error_names()),
    )


def error_names() -> list[str]:
    """Return the names of the errors, in the order of their definition."""
    found = [name for name, value in vars(errors).items() if name in scanrill.__all__]
    return [name for name in found if issubclass(getattr(scanrill, name), scanrill.ReadingError)]


def described_names() -> set[str]:
    """Return the names that the page describes."""
    return {VERSION, *error_names(), *(name for names in GROUPS.values() for name in names)}


def fields(kind: type) -> list[tuple[str, str, str, str]]:
    """Return name, type, default and meaning of the attributes that a class declares."""
    body = _class_node(kind).body
    found = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
            default = ast.unparse(node.value) if node.value else ""
            annotation = ast.unparse(node.annotation)
            found.append((ast.unparse(node.target), annotation, default, _string(following)))
    return found


def _section(name: str) -> str:
    return f"### {name} {{ #{name.lower()} }}\n\n{_body(name, getattr(scanrill, name))}"


def _body(name: str, value: Any) -> str:
    if inspect.isfunction(value):
        return function_text(_function_node(value), _docstring(value))
    if inspect.isclass(value):
        return _class(value)
    module = next(m for m in (types, scanrill._sources) if name in vars(m))
    return _alias(name, module)


def _class(kind: type) -> str:
    # The keys of a TypedDict are described where they come from.
    attributes = [] if is_typeddict(kind) else fields(kind)
    rows = [(code(name), code(hint), code(default), text) for name, hint, default, text in attributes]
    methods = [
        f"#### {kind.__name__}.{node.name}\n\n" + function_text(node, ast.get_docstring(node) or "")
        for node in _class_node(kind).body
        if isinstance(node, Function) and not node.name.startswith("_") and ast.get_docstring(node)
    ]
    return joined(
        _constructor(kind),
        _text(kind),
        table(("name", "type", "default", "meaning"), rows) if rows else "",
        *methods,
    ).strip()


def _constructor(kind: type) -> str:
    nodes = [n for n in _class_node(kind).body if isinstance(n, Function) and n.name == "__init__"]
    return block(_signature(nodes[0], kind.__name__), "python") if nodes else ""


def function_text(node: Function, docstring: str, name: str = "") -> str:
    """Return the signature of a function, property or constructor, and its docstring as Markdown."""
    if any(ast.unparse(decorator) == "property" for decorator in node.decorator_list):
        head = f"{node.name}: {ast.unparse(node.returns)}" if node.returns else node.name
    else:
        head = _signature(node, name or node.name)
    return joined(block(head, "python"), docstring_markdown(docstring)).strip()


def _signature(node: Function, name: str) -> str:
    parameters = [text for text in _parameters(node.args) if text not in ("self", "cls")]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    line = f"{name}({', '.join(parameters)}){returns}"
    if len(line) <= MAX_SIGNATURE_CHARACTERS:
        return line
    return "\n".join([f"{name}(", *(f"    {text}," for text in parameters), f"){returns}"])


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for index, (argument, default) in enumerate(zip(positional, defaults, strict=True), 1):
        yield _parameter(argument, default)
        if index == len(arguments.posonlyargs):
            yield "/"
    if arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.kwarg:
        yield f"**{ast.unparse(arguments.kwarg)}"


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    text = ast.unparse(argument)
    if default is None:
        return text
    # The name of a private constant says less than its value.
    value = "Options()" if ast.unparse(default) == "_DEFAULT_OPTIONS" else ast.unparse(default)
    return f"{text} = {value}" if argument.annotation else f"{text}={value}"


def _alias(name: str, module: ModuleType) -> str:
    body = ast.parse(inspect.getsource(module)).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return joined(block(ast.unparse(node), "python"), _string(following)).strip()
    raise LookupError(name)


def _text(thing: Any) -> str:
    return docstring_markdown(_docstring(thing))


def _docstring(thing: Any) -> str:
    return (
        inspect.cleandoc(vars(thing).get("__doc__") or "")
        if inspect.isclass(thing)
        else inspect.getdoc(thing) or ""
    )


def docstring_markdown(docstring: str) -> str:
    """Return a docstring with its sections as lists."""
    text, *sections = SECTION.split(docstring)
    parts = [text.strip()]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        entries = ENTRY.split(textwrap.dedent(body).strip())
        items = [
            f"- `{name}`: {first_sentence(meaning)}"
            for name, meaning in zip(entries[1::2], entries[2::2], strict=True)
        ]
        parts.append(f"{SECTION_TITLES[title]}:\n\n" + "\n".join(items))
    return joined(*parts).strip()


def _class_node(kind: type) -> ast.ClassDef:
    node = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(node, ast.ClassDef)
    return node


def _function_node(function: Any) -> Function:
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, Function)
    return node


def _string(node: ast.stmt | None) -> str:
    """Return the text of a string that stands alone, as one line or as paragraphs; empty for other nodes."""
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return inspect.cleandoc(node.value.value)
    return ""
