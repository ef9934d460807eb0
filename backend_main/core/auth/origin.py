"""Origin rule: which web pages may connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from ..conf import conf
from ..errors import OriginNotAllowed, RequestError

Scope = Mapping[str, Any]
DEFAULT_PORTS = {"http": 80, "https": 443}
WEBSOCKET_SCHEMES = ("ws", "wss")  # of a connection; the page that opens it has http or https


def check_host(scope: Scope) -> None:
    """Raise `RequestError` if the request has a `Host` that SCANRILL_ALLOWED_HOSTS lacks.

    A page whose host name was made to point to this server (DNS rebinding) sends its own name.
    """
    for name, value in scope["headers"]:
        if name == b"host" and not _is_allowed_host(value.decode("latin-1")):
            raise RequestError({"detail": "The Host is not allowed. Add it to SCANRILL_ALLOWED_HOSTS."})


def _is_allowed_host(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain and validate_host(domain, settings.ALLOWED_HOSTS))


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
        if _is_allowed_host(host):
            scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
            own = parse_origin(f"{scheme}://{host}")
            # If its users connect by HTTPS, a page over HTTP is not its own: anybody on the way can write it.
            if scheme == "https" or _https_origin(own) not in allowed:
                allowed.add(own)
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


def _https_origin(http_origin: tuple[str, str, int]) -> tuple[str, str, int]:
    """Return the origin with HTTPS that a browser sends with the same `Host`."""
    _scheme, name, port = http_origin
    return "https", name, 443 if port == 80 else port


def parse_origin(origin: str) -> tuple[str, str, int]:
    """Split an origin into scheme, host and port. Raises ValueError if it is not valid; `null` is not.

    Apps and browser extensions have schemes of their own, without ports: `capacitor://localhost`.
    """
    parts = urlsplit(origin)
    has_no_path = origin.lower() == f"{parts.scheme}://{parts.netloc.lower()}"
    is_page = parts.scheme and parts.scheme not in WEBSOCKET_SCHEMES
    if not is_page or not parts.hostname or not has_no_path or parts.username is not None:
        raise ValueError("not an origin")
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
