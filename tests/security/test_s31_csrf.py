"""S31 — a request that another site makes a browser send: bearer needs no guard, the cookie has one.

A browser adds a cookie to what any page asks for, and says in `Origin` which page that was. A script of
another site cannot add a bearer token, so what takes one alone needs no Origin.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend_main.core.http.sign_in import COOKIE
from tests.support.accounts import Account
from tests.support.server import Server

PASSWORD = "a good pass phrase"


@pytest.fixture(scope="module")
def ada(server: Server) -> Account:
    account = Account.create(server)
    account.set_password(PASSWORD)
    return account


def origins(server: Server) -> dict[str, str | None]:
    """Of pages that must not use the cookie."""
    return {
        "none": None,
        "null": "null",
        "empty": "",
        "another site": "https://evil.example",
        "another port": f"http://127.0.0.1:{server.port + 1}",
        "another scheme": f"https://127.0.0.1:{server.port}",
        "another name of this host": f"http://localhost:{server.port}",
        "the name and more": f"http://127.0.0.1:{server.port}.evil.example",
        "no origin at all": "http://[",
    }


def send(server: Server, method: str, path: str, *, origin: str | None, **more: Any) -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin}
    return httpx.request(method, f"{server.http}{path}", headers=headers | more.pop("headers", {}), **more)


def cookie_of(account: Account) -> str:
    """A refresh token as the browser of this user keeps it."""
    answer = send(
        account.server,
        "POST",
        "/api/token/code/",
        origin=account.server.http,
        json={"code": account.sign_in_code()},
    )
    assert answer.status_code == 200
    return answer.cookies[COOKIE]


def guarded(account: Account) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """What sets, uses or removes the cookie."""
    cookie = {"Cookie": f"{COOKIE}={cookie_of(account)}"}
    name = {"username": account.name, "password": PASSWORD, "cookie": True}
    return {
        "sign in by code": ("POST", "/api/token/code/", {"json": {"code": account.sign_in_code()}}),
        "sign in by password": ("POST", "/api/token/", {"json": name}),
        "refresh": ("POST", "/api/token/refresh/", {"json": {}, "headers": cookie}),
        "refresh by a form": ("POST", "/api/token/refresh/", {"data": {"a": "b"}, "headers": cookie}),
        "sign out": ("DELETE", "/api/token/", {"headers": cookie}),
    }


def test_s31_no_other_page_sets_uses_or_removes_the_cookie(ada: Account) -> None:
    for what, (method, path, request) in guarded(ada).items():
        for whose, origin in origins(ada.server).items():
            answer = send(ada.server, method, path, origin=origin, **dict(request))
            assert answer.status_code == 403, (what, whose)
            assert answer.json().keys() == {"error"}, (what, whose)
            assert "set-cookie" not in answer.headers, (what, whose)


def test_s31_the_server_s_own_page_does(ada: Account) -> None:
    """So that the refusals above are for who asks, and cost nothing: the same code still signs in."""
    for what, (method, path, request) in guarded(ada).items():
        answer = send(ada.server, method, path, origin=ada.server.http, **request)
        assert answer.status_code in (200, 204), what


def test_s31_a_refused_page_uses_up_no_code(ada: Account) -> None:
    code = {"code": ada.sign_in_code()}
    for origin in ("https://evil.example", ada.server.http):
        answer = send(ada.server, "POST", "/api/token/code/", origin=origin, json=code)
    assert answer.status_code == 200


def test_s31_the_cookie_opens_nothing_but_the_token_door(ada: Account) -> None:
    cookie = {"Cookie": f"{COOKIE}={cookie_of(ada)}"}
    for method, path in (("GET", "/api/me/"), ("GET", "/api/uploads/"), ("POST", "/api/uploads/")):
        answer = send(ada.server, method, path, origin=ada.server.http, headers=cookie)
        assert answer.status_code == 401, path


def test_s31_a_token_of_one_s_own_needs_no_origin(ada: Account) -> None:
    bearer = {"Authorization": f"Bearer {ada.mint()}"}
    assert send(ada.server, "GET", "/api/me/", origin=None, headers=bearer).status_code == 200
    tokens = send(
        ada.server, "POST", "/api/token/", origin=None, json={"username": ada.name, "password": PASSWORD}
    )
    assert tokens.json().keys() == {"access", "refresh"}
    assert "set-cookie" not in tokens.headers
    refreshed = send(
        ada.server, "POST", "/api/token/refresh/", origin=None, json={"refresh": tokens.json()["refresh"]}
    )
    assert refreshed.json().keys() == {"access"}


def test_s31_the_cookie_is_out_of_reach_for_scripts_and_other_sites(ada: Account) -> None:
    answer = send(
        ada.server, "POST", "/api/token/code/", origin=ada.server.http, json={"code": ada.sign_in_code()}
    )
    [cookie] = answer.headers.get_list("set-cookie")
    _, *attributes = cookie.split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/api/token/", "Max-Age=2592000"} <= set(attributes)
    assert "Secure" not in attributes, "this page came by http"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"access"}
