"""Sign-in views: they exchange a password, the code of a sign-in link, or a cookie for tokens.

A page keeps its access token in memory and cannot read its refresh token: that is in a cookie, which the
browser sends to `/api/token/` only. A browser sends the cookie with requests from any page. Requests that
set, use or remove it therefore need an allowed `Origin`: SameSite alone would accept a page on another port
of this host.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from ..auth import origin, sessions, sign_in_codes
from ..auth.passwords import MAX_NAME_CHARACTERS, Client
from ..auth.sessions import Device, TokenPair
from ..db import executor
from ..errors import RequestError, Unauthenticated
from ..models import User
from ..runtime import runtime_of
from . import sign_in_cookies
from .client_address import client_address
from .json_view import JSONView, asgi_request, json_body

WRONG_PASSWORD_MESSAGE = "No active account found with the given credentials"  # noqa: S105 - a sentence


class TokenView(JSONView):
    """`POST /api/token/` {username, password} → {access, refresh}; `DELETE` ends the session of the cookie.

    With `"cookie": true` the response is {access}, and the cookie has the refresh token.
    """

    async def post(self, request: HttpRequest) -> HttpResponse:
        body = json_body(request)
        with_cookie = body.get("cookie") is True
        if with_cookie:
            _require_origin(request)
        user = await _user_with_password(request, body)
        tokens = await executor.run_in_db_thread(sessions.start, user, _device(request))
        if with_cookie:
            return _cookie_response(request, user.get_username(), tokens)
        return JsonResponse(tokens._asdict())

    async def delete(self, request: HttpRequest) -> HttpResponse:
        _require_origin(request)
        token = sign_in_cookies.refresh_token(request)
        if token is not None:
            await executor.run_in_db_thread(sessions.end_by_token, token)
        response = HttpResponse(status=204)
        sign_in_cookies.remove_refresh_cookie(request, response)
        return response


class SignInCodeView(JSONView):
    """`POST /api/token/code/` {code} → {access} and the cookie."""

    async def post(self, request: HttpRequest) -> HttpResponse:
        _require_origin(request)
        code = json_body(request).get("code")
        user = await executor.run_in_db_thread(
            sign_in_codes.redeem_code, code if isinstance(code, str) else ""
        )
        tokens = await executor.run_in_db_thread(sessions.start, user, _device(request))
        return _cookie_response(request, user.get_username(), tokens)


class RefreshView(JSONView):
    """`POST /api/token/refresh/` {refresh} → {access, refresh}; without `refresh`, the cookie counts.

    The new refresh token replaces the old one, which is invalid from then on.
    """

    async def post(self, request: HttpRequest) -> HttpResponse:
        token = json_body(request).get("refresh")
        is_cookie = token is None
        if is_cookie:
            token = sign_in_cookies.refresh_token(request)
            if token is None:
                raise Unauthenticated("A refresh token is needed, as `refresh` or as a cookie.")
            _require_origin(request)
        if not isinstance(token, str):
            raise RequestError({"refresh": "A text is expected."})
        user, tokens = await executor.run_in_db_thread(sessions.refresh, token, _device(request))
        if is_cookie:
            return _cookie_response(request, user.get_username(), tokens)
        return JsonResponse(tokens._asdict())


async def _user_with_password(request: HttpRequest, body: dict[str, Any]) -> User:
    """Check the name and password in a body. An attempt counts before its password is checked."""
    scope = asgi_request(request).scope
    name, password = body.get("username"), body.get("password")
    problems = {field: _text_problem(field, body.get(field)) for field in ("username", "password")}
    if not isinstance(name, str) or problems["username"]:
        raise RequestError({field: problem for field, problem in problems.items() if problem})
    name = name.strip()
    client = Client(client_address(scope), sign_in_cookies.device_id(request, name))
    await runtime_of(scope).password_sign_in.admit(name, client)
    if not isinstance(password, str) or problems["password"]:
        raise RequestError({"password": problems["password"]})
    user = await runtime_of(scope).password_sign_in.check(name, password, client)
    if user is None:
        raise Unauthenticated(WRONG_PASSWORD_MESSAGE)
    return user


def _text_problem(field: str, value: object) -> str:
    """Return why a field is not a text to compare; "" if it is one."""
    if value is None:
        return "This field is required."
    if not isinstance(value, str) or "\0" in value:
        return "A text without NUL is expected."
    if field == "username" and len(value) > MAX_NAME_CHARACTERS:
        return f"At most {MAX_NAME_CHARACTERS} characters are expected."
    return "" if value else "This field may not be blank."


def _cookie_response(request: HttpRequest, name: str, tokens: TokenPair) -> HttpResponse:
    response = JsonResponse({"access": tokens.access})
    sign_in_cookies.set_cookies(request, response, name=name, refresh=tokens.refresh)
    return response


def _device(request: HttpRequest) -> Device:
    user_agent = "".join(filter(str.isprintable, request.headers.get("User-Agent", "")))
    return Device(client_address(asgi_request(request).scope), user_agent)


def _require_origin(request: HttpRequest) -> None:
    origin.require_allowed_origin(asgi_request(request).scope)
