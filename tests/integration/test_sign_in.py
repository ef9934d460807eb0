"""Browser sign-in: the link printed at the start, `scanrill link`, the cookie, and password guessing."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from backend_main import __version__
from tests.integration.test_serve import refusal, scanrill
from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.problems import errors_of
from tests.support.server import Server

CODE = re.compile(r"(http://127\.0\.0\.1:\d+)/#code=([\w-]{32})")
COOKIE = "scanrill_refresh"
PASSWORD = "a good pass phrase"


class Page:
    """A page of this server in a browser: it keeps cookies and sends its Origin."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=server.http, headers={"Origin": server.http}, timeout=30)

    def sign_in(self, link: str) -> httpx.Response:
        code = CODE.fullmatch(link)
        assert code, link
        return self.http.post("/api/token/code/", json={"code": code[2]})

    def refresh(self) -> httpx.Response:
        return self.http.post("/api/token/refresh/", json={})

    def name(self, access: str) -> str:
        me = self.http.get("/api/me/", headers={"Authorization": f"Bearer {access}"})
        return str(me.json()["username"])


OpenPage = Callable[[Server], Page]


@pytest.fixture
def open_page() -> Iterator[OpenPage]:
    """Return a function that opens a page; the fixture closes all pages."""
    with ExitStack() as pages:

        def page(server: Server) -> Page:
            opened = Page(server)
            pages.callback(opened.http.close)
            return opened

        yield page


@pytest.fixture
def ada(server: Server) -> Account:
    account = Account.create(server)
    account.set_password(PASSWORD)
    return account


# ── the link printed at the start ──


def test_serve_first_start_creates_a_user_and_each_start_prints_a_link(
    open_page: OpenPage,
    new_server: Callable[..., Server],
) -> None:
    server = new_server()
    first = server.sign_in_link
    assert first.startswith(f"{server.http}/#code=")
    page = open_page(server)
    signed_in = page.sign_in(first)
    assert signed_in.json().keys() == {"access"}
    name = page.name(signed_in.json()["access"])
    assert name == getpass.getuser()
    assert page.sign_in(first).status_code == 401, "a link works once"
    server.stop()

    server.start()
    assert page.name(page.refresh().json()["access"]) == name, "a restart keeps sessions"
    second = page.sign_in(server.sign_in_link)
    assert page.name(second.json()["access"]) == name
    assert run_query(server, "SELECT username, password LIKE '!%' FROM core_user") == [(name, 1)]
    assert first.rsplit("=")[-1] not in server.log


def test_serve_first_start_with_invalid_login_name_uses_scanrill(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, new_server: Callable[..., Server]
) -> None:
    monkeypatch.setenv("LOGNAME", "no name/at all")
    server = new_server()
    page = open_page(server)
    assert page.name(page.sign_in(server.sign_in_link).json()["access"]) == "scanrill"


# ── `scanrill link` ──


def test_link_beside_a_running_server_prints_only_the_link(
    open_page: OpenPage, server: Server, ada: Account
) -> None:
    printed = server.command("link", ada.name)
    assert (printed.returncode, printed.stderr) == (0, "")
    page = open_page(server)
    link = printed.stdout.removesuffix("\n")
    assert link.startswith(server.http)
    assert page.name(page.sign_in(link).json()["access"]) == ada.name


def test_link_without_running_server_uses_the_default_address(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "scanrill user add NAME" in refusal(scanrill(data, "link"))
    assert "scanrill user add anna" in refusal(scanrill(data, "link", "anna"))
    scanrill(data, "user", "add", "anna", "--no-password")
    (data / "serve.lock").write_text("http://127.0.0.1:9")  # as a killed server leaves it
    printed = scanrill(data, "link")
    assert printed.returncode == 0
    assert printed.stdout.startswith("http://127.0.0.1:8000/#code=")
    [line] = printed.stderr.splitlines()
    assert "No server runs" in line
    printed = scanrill(data, "link", "--url", "https://scans.example/")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.startswith("https://scans.example/#code=")


def test_link_with_external_token_issuer_fails(tmp_path: Path) -> None:
    settings = {"JWT_ALGORITHM": "RS256", "JWT_VERIFYING_KEY": "a key"}
    scanrill(tmp_path, "user", "add", "anna", "--no-password")
    assert "Another service" in refusal(scanrill(tmp_path, "link", **settings))


# ── the cookie ──


def test_cookie_keeps_a_page_signed_in_until_sign_out(
    open_page: OpenPage, server: Server, ada: Account
) -> None:
    page = open_page(server)
    tokens = page.http.post("/api/token/", json={"username": ada.name, "password": PASSWORD, "cookie": True})
    assert tokens.json().keys() == {"access"}
    assert page.name(tokens.json()["access"]) == ada.name
    for _ in range(2):
        assert page.name(page.refresh().json()["access"]) == ada.name
    out = page.http.delete("/api/token/")
    assert (out.status_code, out.content) == (204, b"")
    assert COOKIE not in page.http.cookies
    assert page.refresh().status_code == 401
    assert page.http.delete("/api/token/").status_code == 204, "also without a session"


def test_cookie_after_revocation_of_all_tokens_is_rejected(
    open_page: OpenPage, server: Server, ada: Account
) -> None:
    page = open_page(server)
    assert page.sign_in(f"{server.http}/#code={ada.sign_in_code()}").status_code == 200
    ada.revoke_tokens()
    assert page.refresh().status_code == 401


def test_cookie_behind_an_https_proxy_is_secure(strict_origin_server: Server) -> None:
    account = Account.create(strict_origin_server)
    answer = httpx.post(
        f"{strict_origin_server.http}/api/token/code/",
        json={"code": account.sign_in_code()},
        headers={"Origin": "https://scans.example"},
    )
    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith(("__Secure-scanrill_refresh=", "__Secure-scanrill_device="))
        assert "Secure" in cookie.split("; ")


@pytest.fixture
def strict_origin_server(new_server: Callable[..., Server]) -> Server:
    return new_server(ALLOWED_ORIGINS="https://scans.example", PASSWORD_TRIES_PER_MINUTE="3")


# ── the user's own data ──


def test_me_returns_user_name_upload_limit_and_version(server: Server, ada: Account) -> None:
    me = httpx.get(f"{server.http}/api/me/", headers={"Authorization": f"Bearer {ada.mint()}"})
    assert me.json() == {"username": ada.name, "max_upload_bytes": 1024**3, "version": __version__}
    assert httpx.get(f"{server.http}/api/me/").status_code == 401


# ── password guessing ──


def guess(server: Server, name: str, password: str | None = None, **headers: str) -> httpx.Response:
    """Try to sign in; without a password the server computes no hash, but counts the attempt."""
    body = {"username": name} | ({"password": password} if password else {})
    return httpx.post(f"{server.http}/api/token/", json=body, headers=headers, timeout=30)


def test_sign_in_over_the_attempt_limit_is_429(server: Server, ada: Account) -> None:
    for number in range(10):
        assert guess(server, ada.name, **{"X-Forwarded-For": f"10.0.0.{number}"}).status_code == 400
    for name in (ada.name, f" {ada.name}\t"):
        limited = guess(server, name, PASSWORD, **{"X-Forwarded-For": "10.0.1.1"})
        assert limited.status_code == 429
        assert 0 < int(limited.headers["retry-after"]) <= 60
        assert errors_of(limited)["detail"].startswith("Too many tries to sign in.")
    assert guess(server, Account.create(server).name).status_code == 400, "other users are not affected"
    out = [httpx.delete(f"{server.http}/api/token/", headers={"Origin": server.http}) for _ in range(11)]
    assert {answer.status_code for answer in out} == {204}, "a sign-out does not count as an attempt"


def test_sign_in_with_correct_password_resets_the_attempt_limit(server: Server, ada: Account) -> None:
    for _ in range(2):
        for _ in range(9):
            assert guess(server, ada.name).status_code == 400
        assert guess(server, ada.name, PASSWORD).status_code == 200


def test_sign_in_attempt_limit_follows_the_setting(strict_origin_server: Server) -> None:
    answers = [guess(strict_origin_server, "nobody").status_code for _ in range(4)]
    assert answers == [400, 400, 400, 429]
