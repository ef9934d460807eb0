"""Generator of the page of errors and close codes, from `core/errors.py` and `reading/errors.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import django

from backend_main.core import errors
from backend_main.core.errors import FileTooLarge
from backend_main.core.http.problems import error_kinds, problem
from backend_main.reading import errors as reading_errors

from . import descriptions
from .markdown import block, code, first_sentence, json_block, own_docstring, page, table

# Sent by the transport, below the error classes.
TRANSPORT = {
    1009: ("no", "The message exceeds `SCANRILL_MAX_UPLOAD_BYTES`. Send the file by POST."),
    1011: ("no", "Internal server error; see the server log. Reconnect."),
    1012: ("no", "The server restarts. Reconnect and resume."),
}


class CloseCode(NamedTuple):
    code: int
    final: str
    meaning: str


def page_of_errors() -> str:
    return page(
        "Errors and close codes",
        "Every error with its codes, and whether a retry can help.",
        "## Close codes",
        "The server accepts every WebSocket, and then closes it with a code: a close before the handshake "
        "reaches no client. *Final* means that reconnecting with the same token and page gets the same code. "
        "[Reconnect and resume](../how-to/reconnect.md) explains what to do after the others.",
        table(("code", "final", "meaning"), ((code(c.code), c.final, c.meaning) for c in close_codes())),
        "## Errors of the server",
        "On the WebSocket, the reply to a failed request has `error`, an object with one sentence per wrong "
        "field. Over HTTP, the body of a failed request is `application/problem+json` (RFC 9457):",
        json_block(problem(FileTooLarge("file", 1073741824)), "response, 413"),
        "Programs can rely on `code`, on the status, and on the names of fields. The sentences are for "
        "people and may change. `retryable` says whether the same request can succeed later. With 429 and "
        "503, `Retry-After` says in how many seconds to repeat it.",
        block(tree_of(errors.__doc__)),
        table(("code", "HTTP status", "close code", "retryable", "meaning"), _rows()),
        "## Errors of reading",
        "They end an upload with status `error` and their message. `scanrill read` prints the message on "
        "standard error.",
        block(tree_of(reading_errors.__doc__)),
    )


def classes() -> list[type[errors.ScanrillError]]:
    """Return the whole tree, with the classes of other modules."""
    django.setup()
    from backend_main.backend import urls  # noqa: F401 - the routes import every module with errors

    return error_kinds()


def close_codes() -> list[CloseCode]:
    codes = [CloseCode(number, *row) for number, row in TRANSPORT.items()]
    closing = [kind for kind in classes()[1:] if "close_code" in vars(kind)]
    codes += [CloseCode(kind.close_code, "yes" if kind.is_final else "no", about(kind)) for kind in closing]
    return sorted(codes)


def about(kind: type[errors.ScanrillError]) -> str:
    """Return a sentence about an error: from the descriptions, from the tree, or from the class."""
    text = (
        descriptions.ERRORS.get(kind.__name__) or _text_in_tree(kind) or first_sentence(own_docstring(kind))
    )
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""


def tree_of(docstring: str | None) -> str:
    """Return the tree in the docstring of a module of errors."""
    blocks = (docstring or "").split("\n\n")
    return next(text.strip("\n") for text in blocks if "├──" in text)


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    """Yield a row for each code: the first class that has it describes it."""
    described: set[str] = set()
    for kind in sorted(classes(), key=_code):
        if kind.code not in described and kind is not errors.CommandError:  # no request meets it
            described.add(kind.code)
            yield _row(kind)


def _row(kind: type[errors.ScanrillError]) -> tuple[str, str, str, str, str]:
    status, closes = _own(kind, "http_status") or 500, _own(kind, "close_code")
    retryable = "yes" if kind.is_retryable else "no"
    anchor = f"{code(kind.code)}{{ #{kind.code} }}"
    return anchor, code(status), code(closes), retryable, about(kind)


def _code(kind: type[errors.ScanrillError]) -> str:
    return kind.code


def _own(kind: type[errors.ScanrillError], name: str) -> Any:
    """Return an attribute of the class or its bases, without the default of the root class."""
    for one in kind.__mro__:
        if one is errors.ScanrillError:
            return ""
        if name in vars(one):
            return vars(one)[name]
    return ""


def _text_in_tree(kind: type[errors.ScanrillError]) -> str:
    """Return the text after name and codes in the tree."""
    lines = (errors.__doc__ or "").splitlines()
    line = next((line for line in lines if f" {kind.__name__} " in line), "")
    text = " ".join(word for word in line.partition(kind.__name__)[2].split() if not word.isdecimal())
    return text.removesuffix("; final")  # has a column of its own
