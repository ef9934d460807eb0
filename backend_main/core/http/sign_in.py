"""Sign-in views: they exchange a password, the code of a sign-in link, or a cookie for tokens.

A page keeps its access token in memory and cannot read its refresh token: that is in a cookie, which the
browser sends to `/api/token/` only. A browser sends the cookie with requests from any page. Requests that
set, use or remove it therefore need an allowed `Origin`: SameSite alone would accept a page on another port
of this host.
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
    """Limit on sign-in attempts per minute, for each pair of user name and address; a success resets it.

    The address is that of the connection: a client could put a new one into a header for each guess.
    """

    scope = "password"

    def get_cache_key(self, request: Request, view: object) -> str | None:
        if request.method != "POST":
            return None
        name = str(_body_field(request, "username")).strip()  # as the serializer does
        name_and_address = f"{name}\0{request.META.get('REMOTE_ADDR', '')}"
        digest = hashlib.sha256(name_and_address.encode("utf-8", "surrogatepass")).hexdigest()
        return f"password-tries-{digest}"

    def reset(self, request: Request) -> None:
        self.cache.delete(self.get_cache_key(request, None))


class _ObtainSerializer(TokenObtainPairSerializer):
    token_class = authentication.RefreshToken

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Spaces at the ends belong to the password.
        self.fields["password"] = PasswordField(trim_whitespace=False)


class TokenView(TokenObtainPairView):
    """`POST /api/token/` {username, password} → {access, refresh}; `DELETE` signs out: removes the cookie.

    With `"cookie": true` the response is {access}, and the cookie has the refresh token.
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
    """`POST /api/token/refresh/` {refresh} → {access}; without `refresh`, the cookie counts."""

    _serializer_class = f"{authentication.__name__}.{authentication.RefreshSerializer.__qualname__}"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        refresh = _body_field(request, "refresh", missing=None)
        if refresh is None:
            if COOKIE_NAME not in request.COOKIES:
                raise Unauthenticated("A refresh token is needed, as `refresh` or as a cookie.")
            _require_origin(request)
            refresh = request.COOKIES[COOKIE_NAME]
        serializer = self.get_serializer(data={"refresh": refresh})
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


def _cookie_response(request: Request, *, access: str, refresh: str) -> Response:
    response = Response({"access": access})
    response.set_cookie(
        COOKIE_NAME,
        refresh,
        max_age=conf.jwt_refresh_seconds,
        path=COOKIE_PATH,
        # The page's scheme counts: a proxy may connect to this server over plain HTTP.
        secure=request.headers["Origin"].startswith("https:"),
        httponly=True,
        samesite="Strict",
    )
    return response


def _require_origin(request: Request) -> None:
    django_request = request._request
    assert isinstance(django_request, ASGIRequest)  # scanrill runs on ASGI only
    origin.require_allowed_origin(django_request.scope)


def _body_field(request: Request, name: str, missing: Any = "") -> Any:
    """Return a field of the body, or `missing`; the body may be any JSON value."""
    return request.data.get(name, missing) if isinstance(request.data, dict) else missing
