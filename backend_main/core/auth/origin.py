"""The Origin rule: which web pages may connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from ..conf import conf
from ..errors import OriginNotAllowed

Scope = Mapping[str, Any]


def check_origin(scope: Scope) -> None:
    """A page may connect from an allowed origin or from the server's own; programs send no Origin.

    One rule for WebSocket and HTTP, whose schemes stand for one another.

    Raises `OriginNotAllowed`.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is None:
        return
    try:
        given = parse_origin(origin.decode("ascii"))
        allowed = {parse_origin(text) for text in conf.allowed_origins} | _same_origin(
            scope, headers.get(b"host", b"")
        )
    except (ValueError, UnicodeError):
        raise OriginNotAllowed("The Origin header is malformed.") from None
    if given not in allowed:
        raise OriginNotAllowed("Pages of this origin may not connect; see SCANRILL_ALLOWED_ORIGINS.")


def require_allowed_origin(scope: Scope) -> None:
    """As `check_origin`, where a browser acts unasked: it must say for which page. Raises `OriginNotAllowed`."""
    check_origin(scope)
    if not any(name == b"origin" for name, _ in scope["headers"]):
        raise OriginNotAllowed("This needs an Origin header, which every browser sends.")


def parse_origin(origin: str) -> tuple[str, str, int]:
    """Scheme, host and port; raises ValueError for anything that is no origin, `null` among it."""
    parts = urlsplit(origin)
    default_port = {"http": 80, "https": 443}.get(parts.scheme)
    bare = origin.lower() == f"{parts.scheme}://{parts.netloc.lower()}"
    if default_port is None or not parts.hostname or not bare or parts.username is not None:
        raise ValueError("not an origin")
    return parts.scheme, parts.hostname, parts.port or default_port


def _same_origin(scope: Scope, host: bytes) -> set[tuple[str, str, int]]:
    name = host.decode("ascii")
    domain, _port = split_domain_port(name)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return set()
    return {parse_origin(f"{'https' if scope.get('scheme') in ('wss', 'https') else 'http'}://{name}")}
