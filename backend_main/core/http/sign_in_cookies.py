"""Cookies of a sign-in: the refresh token of a session, and the mark of a browser that has signed in before.

A browser sends both to `/api/token/` only, and scripts cannot read them. Over https their names begin with
`__Secure-`, which a page of http on this host cannot set (RFC 6265bis, 4.1.3.1). `__Host-` would send them to
every path. Cookies of earlier versions have no prefix; they are read until the next response replaces them.
"""

from __future__ import annotations

import datetime as dt
import secrets

from django.core import signing
from django.http import HttpRequest, HttpResponse

from ..auth.digests import sha256_hex
from ..conf import conf
from .json_view import asgi_request
from .path_prefix import root_path

COOKIE_PATH = "/api/token/"
REFRESH_COOKIE = "scanrill_refresh"
DEVICE_COOKIE = "scanrill_device"
SECURE_PREFIX = "__Secure-"
DEVICE_LIFETIME = dt.timedelta(days=180)
_SALT = "scanrill.device"


def refresh_token(request: HttpRequest) -> str | None:
    """Return the refresh token in a request's cookie."""
    return _read(request, REFRESH_COOKIE)


def device_id(request: HttpRequest, name: str) -> str | None:
    """Return the id of a browser that has signed in with this name before."""
    try:
        marked = signing.TimestampSigner(salt=_SALT).unsign(
            _read(request, DEVICE_COOKIE) or "", max_age=DEVICE_LIFETIME
        )
    except signing.BadSignature:
        return None
    name_digest, _, device = marked.partition(".")
    return device if device and name_digest == _digest(name) else None


def set_cookies(request: HttpRequest, response: HttpResponse, *, name: str, refresh: str) -> None:
    """Set both cookies. The device keeps its id, so that signing in again gives no new allowance."""
    device = device_id(request, name) or secrets.token_hex(16)
    mark = signing.TimestampSigner(salt=_SALT).sign(f"{_digest(name)}.{device}")
    _set(request, response, REFRESH_COOKIE, refresh, max_age=conf.jwt_refresh_seconds)
    _set(request, response, DEVICE_COOKIE, mark, max_age=int(DEVICE_LIFETIME.total_seconds()))


def remove_refresh_cookie(request: HttpRequest, response: HttpResponse) -> None:
    """Remove the refresh token. The mark of the device stays: it signs nobody in."""
    for name in (SECURE_PREFIX + REFRESH_COOKIE, REFRESH_COOKIE):
        if name in request.COOKIES or name == _prefix(request) + REFRESH_COOKIE:
            response.delete_cookie(name, path=_path(request), samesite="Strict")


def _read(request: HttpRequest, name: str) -> str | None:
    return request.COOKIES.get(SECURE_PREFIX + name) or request.COOKIES.get(name)


def _set(request: HttpRequest, response: HttpResponse, name: str, value: str, *, max_age: int) -> None:
    prefix = _prefix(request)
    response.set_cookie(
        prefix + name,
        value,
        max_age=max_age,
        path=_path(request),
        secure=bool(prefix),
        httponly=True,
        samesite="Strict",
    )
    if prefix and name in request.COOKIES:
        response.delete_cookie(name, path=_path(request), samesite="Strict")


def _path(request: HttpRequest) -> str:
    """Return the path of the cookies: another server on this host may have another path."""
    return root_path(asgi_request(request).scope) + COOKIE_PATH


def _prefix(request: HttpRequest) -> str:
    """Return the prefix for the page's scheme: a proxy may connect to this server over plain HTTP."""
    return SECURE_PREFIX if request.headers.get("Origin", "").startswith("https:") else ""


def _digest(name: str) -> str:
    return sha256_hex(name)[:32]
