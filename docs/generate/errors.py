"""`core/errors.py` and `reading/errors.py` → the page of errors and close codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import django

from backend_main.core import errors
from backend_main.reading import errors as reading_errors

from . import words
from .markdown import block, code, first_sentence, own_docstring, page, table

# These come from the transport, below the code that has names for errors.
TRANSPORT = {
    1009: ("no", "The message is larger than `SCANRILL_MAX_UPLOAD_BYTES` allows; a file may go by POST."),
    1011: ("no", "The server failed; its log says why. Reconnect."),
    1012: ("no", "The server restarts. Reconnect."),
}


class CloseCode(NamedTuple):
    code: int
    final: str
    meaning: str


def page_of_errors() -> str:
    return page(
        "Errors and close codes",
        "What can go wrong, under which code, and whether trying again can help.",
        "## Close codes",
        "A WebSocket is always accepted and then closed with a code: a refusal before that reaches no "
        "client. *Final* means that connecting again with the same token and page gives the same answer. How "
        "to come back after the others is told in [Back off and reconnect](../how-to/reconnect.md).",
        table(("code", "final", "meaning"), ((code(c.code), c.final, c.meaning) for c in close_codes())),
        "## Errors of the server",
        "A request that fails has `error`, an object with a sentence for each field that is wrong, on the "
        "WebSocket and over HTTP alike. The names are those of the code; the sentences are for people and "
        "may change, the fields, statuses and codes are what a program can rely on.",
        block(tree_of(errors.__doc__)),
        table(("error", "HTTP status", "close code", "what it says"), map(_row, classes())),
        "## Errors of reading",
        "They end an upload with status `error` and their sentence, and `scanrill read` with a line on "
        "standard error.",
        block(tree_of(reading_errors.__doc__)),
    )


def classes() -> list[type[errors.ScanrillError]]:
    """The whole tree, with what other modules add to it."""
    django.setup()
    from backend_main.backend import urls  # noqa: F401 - with the routes, every module that has errors is there

    return [errors.ScanrillError, *_below(errors.ScanrillError)]


def close_codes() -> list[CloseCode]:
    codes = [CloseCode(number, *said) for number, said in TRANSPORT.items()]
    closing = [kind for kind in classes()[1:] if "close_code" in vars(kind)]
    codes += [CloseCode(kind.close_code, "yes" if kind.is_final else "no", about(kind)) for kind in closing]
    return sorted(codes)


def about(kind: type[errors.ScanrillError]) -> str:
    """A sentence: from the words, from the drawing of the tree, or from the class."""
    said = words.ERRORS.get(kind.__name__) or _said_in_tree(kind) or first_sentence(own_docstring(kind))
    return said[:1].upper() + said[1:].rstrip(".") + "." if said else ""


def tree_of(docstring: str | None) -> str:
    """The drawing of a module's tree of errors."""
    blocks = (docstring or "").split("\n\n")
    return next(text.strip("\n") for text in blocks if "├──" in text)


def _below(kind: type[errors.ScanrillError]) -> Iterator[type[errors.ScanrillError]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _below(sub)


def _row(kind: type[errors.ScanrillError]) -> tuple[str, str, str, str]:
    status, closes = _own(kind, "http_status"), _own(kind, "close_code")
    return code(kind.__name__), code(status), code(closes), about(kind)


def _own(kind: type[errors.ScanrillError], name: str) -> Any:
    """What the class or its family set; what the root has is only there for what nobody foresaw."""
    for one in kind.__mro__:
        if one is errors.ScanrillError:
            return ""
        if name in vars(one):
            return vars(one)[name]
    return ""


def _said_in_tree(kind: type[errors.ScanrillError]) -> str:
    """What stands behind the name and its codes in the drawing."""
    lines = (errors.__doc__ or "").splitlines()
    line = next((line for line in lines if f" {kind.__name__} " in line), "")
    said = " ".join(word for word in line.partition(kind.__name__)[2].split() if not word.isdecimal())
    return said.removesuffix("; final")  # a column says so
