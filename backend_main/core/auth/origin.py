"""Origin rule: which web pages may connect."""

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
    """Raise `OriginNotAllowed` unless the `Origin` is allowed, the server's own, or absent.

    Programs other than browsers send no `Origin`. The rule is one for WebSocket and HTTP: ws counts as http,
    wss as https.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is None:
        return
    try:
        parsed = parse_origin(origin.decode("ascii"))
        allowed = {parse_origin(text) for text in conf.allowed_origins}
        # The server's own origin, unless ALLOWED_HOSTS does not have the host.
        host = headers.get(b"host", b"").decode("ascii")
        domain, _port = split_domain_port(host)
        if domain and validate_host(domain, settings.ALLOWED_HOSTS):
            scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
            allowed.add(parse_origin(f"{scheme}://{host}"))
    except (ValueError, UnicodeError):
        raise OriginNotAllowed("The Origin header is malformed.") from None
    if parsed not in allowed:
        raise OriginNotAllowed("Origin not allowed. Add it to SCANRILL_ALLOWED_ORIGINS.")


def require_allowed_origin(scope: Scope) -> None:
    """Raise `OriginNotAllowed` unless the request has an `Origin` that `check_origin` accepts.

    For requests with a cookie, which a browser sends for any page.
    """
    check_origin(scope)
    if not any(name == b"origin" for name, _ in scope["headers"]):
        raise OriginNotAllowed("This request needs an Origin header. Every browser sends one.")


def parse_origin(origin: str) -> tuple[str, str, int]:
    """Split an origin into scheme, host and port. Raises ValueError if it is not valid; `null` is not."""
    parts = urlsplit(origin)
    default_port = {"http": 80, "https": 443}.get(parts.scheme)
    has_no_path = origin.lower() == f"{parts.scheme}://{parts.netloc.lower()}"
    if default_port is None or not parts.hostname or not has_no_path or parts.username is not None:
        raise ValueError("not an origin")
    return parts.scheme, parts.hostname, parts.port or default_port
