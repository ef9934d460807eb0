"""Parameters of queries: each route has its own, and any other is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from ..errors import RequestError

V = TypeVar("V", bound=Callable[..., Any])
# No route has a fifth of it.
MAX_PARAMETERS = 100
TOKEN_MESSAGE = "A token in the query would be kept by histories and logs. Send `Authorization: Bearer`."  # noqa: S105 - a sentence


def with_parameters(*names: str) -> Callable[[V], V]:
    """Declare the parameters of a view that is a function; a class has them as `query_parameters`."""

    def declare(view: V) -> V:
        view.query_parameters = frozenset(names)  # type: ignore[attr-defined]
        return view

    return declare


def parameters_of(view: Callable[..., Any]) -> frozenset[str]:
    """Return the parameters that a view declares."""
    declared: frozenset[str] = getattr(getattr(view, "view_class", view), "query_parameters", frozenset())
    return declared


def parse_query(query: bytes, known: Collection[str]) -> dict[str, str]:
    """Return the parameters of a query.

    Args:
        known: Names of parameters; one that ends with a dot stands for all that begin with it.

    Raises:
        RequestError: On each parameter that is unknown, is given twice, or has a NUL character, which
            PostgreSQL cannot store.
    """
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise RequestError({"detail": f"The query has more than {MAX_PARAMETERS} parameters."}) from None
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, value in pairs:
        if not _is_known(name, known):
            errors[name] = _unknown_message(name, known)
        elif name in values:
            errors[name] = "Give this parameter once."
        elif "\0" in value:
            errors[name] = "The value contains a NUL character."
        values[name] = value
    if errors:
        raise RequestError(errors)
    return values


def check_names(names: Iterable[str], known: Collection[str]) -> None:
    """Check names of parameters from elsewhere than a query. `known` is that of `parse_query`.

    Raises:
        RequestError: On each parameter that is unknown.
    """
    errors = {name: _unknown_message(name, known) for name in names if not _is_known(name, known)}
    if errors:
        raise RequestError(errors)


def _is_known(name: str, known: Collection[str]) -> bool:
    return name in known or f"{name.partition('.')[0]}." in known


def _unknown_message(name: str, known: Collection[str]) -> str:
    if name == "token":
        return TOKEN_MESSAGE
    return f"Unknown parameter. Use {', '.join(sorted(known)) or 'none'}."
