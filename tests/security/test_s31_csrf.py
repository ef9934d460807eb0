"""S31 - another site makes a browser send requests: routes that use the cookie check the Origin.

A browser adds cookies to the requests of every page and names the page in `Origin`. A script of another site
cannot add a bearer token, so routes that accept only bearer tokens need no Origin check.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend_main.core.http.sign_in_cookies import DEVICE_COOKIE
from backend_main.core.http.sign_in_cookies import REFRESH_COOKIE as COOKIE_NAME
from tests.support.accounts import Account
from tests.support.problems import problem_of
from tests.support.server import Server

PASSWORD = "a good pass phrase"


@pytest.fixture(scope="module")
def ada(server: Server) -> Account:
    account = Account.create(server)
    account.set_password(PASSWORD)
    return account


def foreign_origins(server: Server) -> dict[str, str | None]:
    """Return origins of pages that must not use the cookie."""
    return {
        "none": None,
        "null": "null",
        "empty": "",
        "another site": "https://evil.example",
        "another port": f"http://127.0.0.1:{server.port + 1}",
        "another scheme": f"https://127.0.0.1:{server.port}",
        "another name of this host": f"http://localhost:{server.port}",
        "longer host name": f"http://127.0.0.1:{server.port}.evil.example",
        "malformed": "http://[",
    }


def send(server: Server, method: str, path: str, *, origin: str | None, **more: Any) -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin}
    return httpx.request(method, f"{server.http}{path}", headers=headers | more.pop("headers", {}), **more)


def cookie_of(account: Account) -> str:
    """Return the refresh token from the cookie of a new sign-in."""
    answer = send(
        account.server,
        "POST",
        "/api/token/code/",
        origin=account.server.http,
        json={"code": account.sign_in_code()},
    )
    assert answer.status_code == 200
    return answer.cookies[COOKIE_NAME]


def cookie_requests(account: Account) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return all requests that set, use or remove the cookie."""
    cookie = {"Cookie": f"{COOKIE_NAME}={cookie_of(account)}"}
    name = {"username": account.name, "password": PASSWORD, "cookie": True}
    return {
        "sign in by code": ("POST", "/api/token/code/", {"json": {"code": account.sign_in_code()}}),
        "sign in by password": ("POST", "/api/token/", {"json": name}),
        "refresh": ("POST", "/api/token/refresh/", {"json": {}, "headers": cookie}),
        "sign out": ("DELETE", "/api/token/", {"headers": cookie}),
    }


def test_s31_cookie_requests_from_foreign_origins_are_403(ada: Account) -> None:
    for name, (method, path, request) in cookie_requests(ada).items():
        for origin_name, origin in foreign_origins(ada.server).items():
            answer = send(ada.server, method, path, origin=origin, **dict(request))
            assert answer.status_code == 403, (name, origin_name)
            assert problem_of(answer)["code"] == "origin_not_allowed", (name, origin_name)
            assert "set-cookie" not in answer.headers, (name, origin_name)


def test_s31_cookie_requests_from_the_servers_own_page_succeed(ada: Account) -> None:
    """The rejections above are due to the origin, and they do not use up the code."""
    for name, (method, path, request) in cookie_requests(ada).items():
        answer = send(ada.server, method, path, origin=ada.server.http, **request)
        assert answer.status_code in (200, 204), name


def test_s31_rejected_origin_does_not_use_up_the_code(ada: Account) -> None:
    code = {"code": ada.sign_in_code()}
    for origin in ("https://evil.example", ada.server.http):
        answer = send(ada.server, "POST", "/api/token/code/", origin=origin, json=code)
    assert answer.status_code == 200


def test_s31_cookie_with_a_form_which_any_page_can_send_is_400(ada: Account) -> None:
    cookie = {"Cookie": f"{COOKIE_NAME}={cookie_of(ada)}"}
    for path in ("/api/token/refresh/", "/api/token/code/", "/api/token/"):
        answer = send(ada.server, "POST", path, origin=ada.server.http, data={"a": "b"}, headers=cookie)
        assert answer.status_code == 400, path
        assert "set-cookie" not in answer.headers, path


def test_s31_cookie_does_not_authenticate_other_routes(ada: Account) -> None:
    cookie = {"Cookie": f"{COOKIE_NAME}={cookie_of(ada)}"}
    for method, path in (("GET", "/api/me/"), ("GET", "/api/uploads/"), ("POST", "/api/uploads/")):
        answer = send(ada.server, method, path, origin=ada.server.http, headers=cookie)
        assert answer.status_code == 401, path


def test_s31_bearer_token_without_origin_is_accepted(ada: Account) -> None:
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
    assert refreshed.json().keys() == {"access", "refresh"}
    assert "set-cookie" not in refreshed.headers


def test_s31_cookie_is_http_only_and_same_site_strict(ada: Account) -> None:
    answer = send(
        ada.server, "POST", "/api/token/code/", origin=ada.server.http, json={"code": ada.sign_in_code()}
    )
    for name, seconds in ((COOKIE_NAME, 2_592_000), (DEVICE_COOKIE, 15_552_000)):
        [cookie] = [text for text in answer.headers.get_list("set-cookie") if text.startswith(f"{name}=")]
        _, *attributes = cookie.split("; ")
        assert {"HttpOnly", "SameSite=Strict", "Path=/api/token/", f"Max-Age={seconds}"} <= set(attributes)
        assert "Secure" not in attributes, "this server uses http"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"access"}
