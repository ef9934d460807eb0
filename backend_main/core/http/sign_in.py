"""Step 3 — the HTTP door for signing in: a password, a link's code or a cookie → tokens.

A page keeps its access token in memory and never sees its refresh token: that is in a cookie which goes to
this door alone. A browser sends a cookie whoever asks it to, so what sets, uses or removes it must come from
a page of an allowed origin: SameSite alone would let a page of another port of this host in.
"""

from __future__ import annotations

import hashlib
from typing import Any, NoReturn

from django.core.handlers.asgi import ASGIRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework_simplejwt.serializers import PasswordField, TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView, TokenViewBase

from ..auth import authentication, origin, sign_in_codes
from ..conf import conf
from ..errors import Unauthenticated

COOKIE_NAME = "scanrill_refresh"
COOKIE_PATH = "/api/token/"


class PasswordThrottle(SimpleRateThrottle):
    """Tries a minute, for each pair of user name and address; forgotten when one succeeds.

    The address is the connection's own: a header that names another would be a new start for each guess.
    """

    scope = "password"

    def get_cache_key(self, request: Request, view: object) -> str | None:
        if request.method != "POST":
            return None
        name = str(_body_field(request, "username")).strip()  # as the serializer takes it
        who = f"{name}\0{request.META.get('REMOTE_ADDR', '')}"
        return f"password-tries-{hashlib.sha256(who.encode('utf-8', 'surrogatepass')).hexdigest()}"

    def reset(self, request: Request) -> None:
        self.cache.delete(self.get_cache_key(request, None))


class _ObtainSerializer(TokenObtainPairSerializer):
    token_class = authentication.RefreshToken

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A password is what was typed, spaces and all.
        self.fields["password"] = PasswordField(trim_whitespace=False)


class TokenView(TokenObtainPairView):
    """`POST /api/token/` {username, password} → {access, refresh}; `DELETE` signs out: removes the cookie.

    With `"cookie": true` the answer is {access}, and the refresh token is in the cookie.
    """

    _serializer_class = f"{__name__}.{_ObtainSerializer.__qualname__}"
    throttle_classes = [PasswordThrottle]

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with_cookie = _body_field(request, "cookie") is True
        if with_cookie:
            _require_origin(request)
        response = super().post(request, *args, **kwargs)
        PasswordThrottle().reset(request)
        return _cookie_response(request, **response.data) if with_cookie else response

    def delete(self, request: Request) -> Response:
        _require_origin(request)
        response = Response(status=204)
        response.delete_cookie(COOKIE_NAME, path=COOKIE_PATH, samesite="Strict")
        return response

    def throttled(self, request: Request, wait: float | None) -> NoReturn:
        raise Throttled(wait, "Too many tries to sign in.")


class SignInCodeView(TokenViewBase):
    """`POST /api/token/code/` {code} → {access} and the cookie."""

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        _require_origin(request)
        code = _body_field(request, "code")
        refresh = authentication.RefreshToken.for_user(
            sign_in_codes.redeem_code(code if isinstance(code, str) else "")
        )
        return _cookie_response(request, access=str(refresh.access_token), refresh=str(refresh))


class RefreshView(TokenRefreshView):
    """`POST /api/token/refresh/` {refresh} → {access}; without `refresh` by the cookie."""

    _serializer_class = f"{authentication.__name__}.{authentication.RefreshSerializer.__qualname__}"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        refresh = _body_field(request, "refresh", missing=None)
        if refresh is None:
            refresh = _refresh_token_from_cookie(request)
        serializer = self.get_serializer(data={"refresh": refresh})
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


def _refresh_token_from_cookie(request: Request) -> str:
    if COOKIE_NAME not in request.COOKIES:
        raise Unauthenticated("A refresh token is needed, as `refresh` or as a cookie.")
    _require_origin(request)
    return str(request.COOKIES[COOKIE_NAME])


def _cookie_response(request: Request, *, access: str, refresh: str) -> Response:
    response = Response({"access": access})
    response.set_cookie(
        COOKIE_NAME,
        refresh,
        max_age=conf.jwt_refresh_seconds,
        path=COOKIE_PATH,
        # By the page's own address: behind a proxy the connection to here may be a plain one.
        secure=request.headers["Origin"].startswith("https:"),
        httponly=True,
        samesite="Strict",
    )
    return response


def _require_origin(request: Request) -> None:
    asked = request._request
    assert isinstance(asked, ASGIRequest)  # there is no other server
    origin.require_allowed_origin(asked.scope)


def _body_field(request: Request, name: str, missing: Any = "") -> Any:
    """Of the body, which may be anything."""
    return request.data.get(name, missing) if isinstance(request.data, dict) else missing
