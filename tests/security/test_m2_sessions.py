"""M2 - nothing can be revoked: a sign-out leaves tokens valid, a stolen refresh token works unnoticed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from django.utils import timezone

from backend_main.core.auth import accounts, authentication, sessions, user_admin
from backend_main.core.auth.sessions import REUSE_GRACE_SECONDS, Device, TokenPair
from backend_main.core.auth.tokens import RefreshToken
from backend_main.core.conf import conf
from backend_main.core.errors import SessionNotFound, Unauthenticated
from backend_main.core.models import Session, User
from tests.support.accounts import Account
from tests.support.database import new_user
from tests.support.database_rows import run_query
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

DEVICE = Device("192.0.2.1", "A Browser 1.0")


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.create(server)


@pytest.fixture
def sign_in(ada: Account) -> Iterator[Callable[[], httpx.Client]]:
    """Return a function that signs the user in with a new browser, whose `Authorization` is set."""
    with ExitStack() as browsers:

        def open_browser() -> httpx.Client:
            http = httpx.Client(base_url=ada.server.http, headers={"Origin": ada.server.http}, timeout=30)
            browsers.enter_context(http)
            access = http.post("/api/token/code/", json={"code": ada.sign_in_code()}).json()["access"]
            http.headers["Authorization"] = f"Bearer {access}"
            return http

        yield open_browser


def access_of(http: httpx.Client) -> str:
    return http.headers["Authorization"].removeprefix("Bearer ")


# ── sign-out ──


async def test_m2_sign_out_ends_the_session_its_tokens_and_sockets(
    ada: Account, sign_in: Callable[[], httpx.Client]
) -> None:
    browser, other = sign_in(), sign_in()
    stolen = dict(browser.cookies)
    async with WebSocketClient(ada.server.url(token=access_of(browser))) as socket:
        assert (await socket.request({"type": "ping"}))["type"] == "pong"
        assert browser.delete("/api/token/").status_code == 204
        assert await socket.close_code() == 4401
    assert browser.get("/api/me/").status_code == 401
    browser.cookies.update(stolen)
    assert browser.post("/api/token/refresh/", json={}).status_code == 401
    assert other.get("/api/me/").status_code == 200
    assert other.post("/api/token/refresh/", json={}).status_code == 200


async def test_m2_ended_session_closes_sockets_without_notification(
    server_without_notifications: Server,
) -> None:
    ada = Account.create(server_without_notifications)
    origin = {"Origin": ada.server.http}
    with httpx.Client(base_url=ada.server.http, headers=origin, timeout=30) as http:
        access = http.post("/api/token/code/", json={"code": ada.sign_in_code()}).json()["access"]
        async with WebSocketClient(ada.server.url(token=access)) as socket, ada.client() as other:
            http.delete("/api/token/")
            assert await socket.close_code() == 4401
            assert (await other.request({"type": "ping"}))["type"] == "pong"


# ── the list of sessions ──


def test_m2_sessions_are_listed_and_one_can_be_ended(sign_in: Callable[[], httpx.Client]) -> None:
    laptop, phone = sign_in(), sign_in()
    phone.post("/api/token/refresh/", json={}, headers={"User-Agent": "A Phone\x7f 2"})
    found = laptop.get("/api/sessions/").json()["sessions"]
    assert [session["current"] for session in found] == [False, True], "the last used first"
    assert found[0].keys() == {"id", "created_at", "last_used_at", "address", "user_agent", "current"}
    assert (found[0]["address"], found[0]["user_agent"]) == ("127.0.0.1", "A Phone 2")
    assert laptop.delete(f"/api/sessions/{found[0]['id']}/").status_code == 204
    assert phone.get("/api/me/").status_code == 401
    assert [session["current"] for session in laptop.get("/api/sessions/").json()["sessions"]] == [True]


def test_m2_session_of_another_user_equals_an_unknown_one(
    server: Server, sign_in: Callable[[], httpx.Client]
) -> None:
    browser = sign_in()
    [session] = browser.get("/api/sessions/").json()["sessions"]
    bob = {"headers": Account.create(server).headers}
    answers = [
        httpx.delete(f"{server.http}/api/sessions/{key}/", **bob) for key in (session["id"], uuid.uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
    assert httpx.get(f"{server.http}/api/sessions/", **bob).json() == {"sessions": []}
    assert httpx.get(f"{server.http}/api/sessions/").status_code == 401
    assert browser.get("/api/me/").status_code == 200


# ── rotation ──


def test_m2_refresh_at_once_in_many_tabs_gives_one_token(
    server: Server, sign_in: Callable[[], httpx.Client]
) -> None:
    token = sign_in().cookies["scanrill_refresh"]

    def refresh(_: int) -> httpx.Response:
        return httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": token}, timeout=30)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(refresh, range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    [successor] = {answer.json()["refresh"] for answer in answers}
    assert successor != token
    again = httpx.post(f"{server.http}/api/token/refresh/", json={"refresh": successor})
    assert again.json()["refresh"] not in (token, successor)


@pytest.fixture
def user(db: None) -> User:
    return new_user()


def refresh(token: str) -> TokenPair:
    return sessions.refresh(token, DEVICE)[1]


def let_grace_pass() -> None:
    past = timezone.now() - dt.timedelta(seconds=REUSE_GRACE_SECONDS + 1)
    assert Session.objects.update(rotated_at=past)


def test_m2_used_token_within_the_grace_gives_its_successor(user: User) -> None:
    first = sessions.start(user, DEVICE).refresh
    assert refresh(first).refresh == refresh(first).refresh


@pytest.mark.parametrize("generations", [1, 2])
def test_m2_used_token_after_the_grace_ends_the_session(user: User, generations: int) -> None:
    first = sessions.start(user, DEVICE)
    newest = first
    for _ in range(generations):
        newest = refresh(newest.refresh)
    let_grace_pass()
    for token in (first, newest):
        with pytest.raises(Unauthenticated):
            refresh(token.refresh)
        with pytest.raises(Unauthenticated):
            authentication.authenticate(token.access)


def test_m2_used_token_before_last_ends_the_session_within_the_grace_too(user: User) -> None:
    first = sessions.start(user, DEVICE).refresh
    third = refresh(refresh(first).refresh).refresh
    for token in (first, third):
        with pytest.raises(Unauthenticated):
            refresh(token)


def test_m2_token_that_is_not_used_stays_valid_after_the_grace(user: User) -> None:
    newest = refresh(sessions.start(user, DEVICE).refresh)
    let_grace_pass()
    assert authentication.authenticate(refresh(newest.refresh).access).user == user


def test_m2_database_has_no_token(server: Server, sign_in: Callable[[], httpx.Client]) -> None:
    token = sign_in().cookies["scanrill_refresh"]
    token_id = RefreshToken(token, verify=False).payload["jti"] if server.is_embedded else token
    rows = str(run_query(server, "SELECT * FROM core_session"))
    assert token not in rows
    assert token_id not in rows


def test_m2_sessions_beyond_the_maximum_replace_the_least_used(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS_PER_USER", 3)
    first, second, *_ = [sessions.start(user, DEVICE) for _ in range(3)]
    refresh(first.refresh)
    sessions.start(user, DEVICE)
    assert len(sessions.active(user)) == 3
    with pytest.raises(Unauthenticated):
        refresh(second.refresh)
    assert authentication.authenticate(second.access).user == user


# ── tokens from before sessions existed ──


def legacy_token(user: User) -> str:
    return str(RefreshToken.for_user(user))


def test_m2_token_from_before_sessions_is_exchanged_once(user: User) -> None:
    old = legacy_token(user)
    newest = refresh(old)
    assert refresh(old).refresh == newest.refresh, "two tabs"
    assert authentication.authenticate(newest.access).session_id == Session.objects.get(user=user).pk
    let_grace_pass()
    for token in (old, newest.refresh):
        with pytest.raises(Unauthenticated):
            refresh(token)


def test_m2_sign_out_with_a_token_from_before_sessions_ends_it(user: User) -> None:
    old = legacy_token(user)
    sessions.end_by_token(old)
    with pytest.raises(Unauthenticated):
        refresh(old)


# ── administration ──


def test_m2_tokens_of_before_a_deactivation_stay_invalid_after_activation(user: User) -> None:
    tokens = sessions.start(user, DEVICE)
    user_admin.deactivate(user)
    user_admin.activate(user)
    for check in (lambda: refresh(tokens.refresh), lambda: authentication.authenticate(tokens.access)):
        with pytest.raises(Unauthenticated):
            check()
    assert refresh(sessions.start(user, DEVICE).refresh)


def test_m2_new_password_ends_sessions_and_changes_nothing_else(user: User) -> None:
    first = sessions.start(user, DEVICE)
    User.objects.filter(pk=user.pk).update(is_active=False)  # by another command meanwhile
    user_admin.set_password(user, "a new pass phrase")
    user.refresh_from_db()
    assert user.check_password("a new pass phrase")
    assert not user.is_active
    user_admin.activate(user)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(first.access)
    assert not sessions.active(user)


def test_m2_end_of_a_session_that_has_ended_is_not_found(user: User) -> None:
    sessions.start(user, DEVICE)
    [session] = sessions.active(user)
    sessions.end(owner=user, session_id=session.pk)
    with pytest.raises(SessionNotFound):
        sessions.end(owner=user, session_id=session.pk)
    assert sessions.active(user) == []


def test_m2_ended_session_is_kept_until_its_access_tokens_expire(user: User) -> None:
    sessions.start(user, DEVICE)
    [session] = sessions.active(user)
    sessions.end(owner=user, session_id=session.pk)
    assert sessions.remove_expired() == 0
    account = accounts.load_account(user.pk)
    assert account is not None
    assert account.ended_ids == {session.pk}
    lifetime = dt.timedelta(seconds=conf.jwt_access_seconds + conf.jwt_leeway_seconds + 1)
    Session.objects.update(ended_at=timezone.now() - lifetime)
    assert sessions.remove_expired() == 1
