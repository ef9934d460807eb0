"""Tokens: given, called for, renewed, refused; and never shown."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from scanrill_client import (
    AsyncClient,
    Client,
    Finished,
    Password,
    RefreshToken,
    RequestError,
    ScanrillError,
    ServerUnreachable,
    Unauthenticated,
)
from scanrill_client.tokens import CallableToken, StaticToken, TokenManager, seconds_until_expiry

from tests.clients.conftest import Barrier, Make, shown, until
from tests.support.accounts import Account
from tests.support.drawing import scripted_png

SECRET = "correct horse 7"


# ── over a real server ──


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "a\r\nX-Other: b", "ä"])
async def test_a_wrong_token_is_told_at_once(ada: Account, client_of: Make, token: str) -> None:
    client = client_of(ada, token=token)
    with pytest.raises(Unauthenticated):
        await client.connect()
    for call in (client.list(), client.read(scripted_png()), client.create(scripted_png())):
        with pytest.raises(Unauthenticated):
            await call


async def test_a_token_of_another_server_is_refused_after_one_fresh_one(
    ada: Account, client_of: Make
) -> None:
    asked = []

    def give() -> str:
        asked.append(1)
        return ada.mint(key="another key, which is as long as it should be")

    with pytest.raises(Unauthenticated):
        await client_of(ada, token=give).connect()
    assert len(asked) == 2
    with pytest.raises(Unauthenticated):
        await client_of(ada, token=give).list()
    assert len(asked) == 4


class Tokens:
    """Gives one that is valid for so many seconds, and long-lived ones after it; `renewed` is set then."""

    def __init__(self, account: Account, *, seconds: float) -> None:
        self._account, self._seconds = account, seconds
        self.given = 0
        self.renewed = asyncio.Event()

    async def __call__(self) -> str:
        self.given += 1
        if self.given == 1:
            return self._account.mint(seconds=self._seconds)
        self.renewed.set()
        return self._account.mint()


async def test_a_token_that_expires_while_a_page_is_read_is_renewed_and_nothing_is_lost(
    ada: Account, client_of: Make, barrier: Barrier
) -> None:
    """Renewed by the socket alone: no request of REST's comes in between."""
    tokens = Tokens(ada, seconds=1.2)
    client, other = client_of(ada, token=tokens), client_of(ada)
    events = client.events()
    await anext(events)
    created = await other.create(scripted_png(lines=["one", "two"], **barrier.after(1)))
    await shown(events, "one")
    await tokens.renewed.wait()
    barrier.lift()
    ended = await until(events, Finished)
    assert (ended.upload_id, ended.result(), tokens.given) == (created.upload_id, "one\ntwo", 2)
    await events.aclose()


async def test_an_expired_token_is_renewed_for_a_request_of_rest(ada: Account, client_of: Make) -> None:
    tokens = Tokens(ada, seconds=-1)
    assert (await client_of(ada, token=tokens).create(scripted_png())).instance.owner == ada.name
    assert tokens.given == 2


async def test_a_fixed_token_that_expires_ends_the_events_with_a_sentence(
    ada: Account, client_of: Make
) -> None:
    client = client_of(ada, token=ada.mint(seconds=1.2))
    with pytest.raises(Unauthenticated, match="expired"):
        async for _ in client.events():
            pass


async def test_a_user_who_is_revoked_meanwhile_is_told(ada: Account, client_of: Make) -> None:
    client = client_of(ada)
    events = client.events()
    await anext(events)
    ada.deactivate()
    with pytest.raises(Unauthenticated):
        await anext(events)


async def test_name_and_password_or_a_refresh_token_sign_in(ada: Account, client_of: Make) -> None:
    ada.set_password(SECRET)
    client = client_of(ada, token=Password(ada.name, SECRET))
    assert await client.read(scripted_png(lines=["one"])) == "one"
    tokens = await client._http._post("/api/token/", {"username": ada.name, "password": SECRET})
    again = client_of(ada, token=RefreshToken(tokens["refresh"]))
    assert len((await again.list()).uploads) == 1


async def test_a_wrong_password_is_no_sign_in(ada: Account, client_of: Make) -> None:
    ada.set_password(SECRET)
    for token in (Password(ada.name, "wrong"), RefreshToken("wrong")):
        with pytest.raises(Unauthenticated):
            await client_of(ada, token=token).list()


# ── nowhere to be seen ──


async def test_no_token_is_in_a_log_an_error_or_a_repr(
    ada: Account, client_of: Make, caplog: pytest.LogCaptureFixture
) -> None:
    ada.set_password(SECRET)
    good, bad = ada.mint(), ada.mint(key="another key, which is as long as it should be")
    shown_to_all: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for token in (good, bad, lambda: bad, Password(ada.name, SECRET), Password(ada.name, SECRET + "!")):
            client = client_of(ada, token=token)
            for call in (client.connect, client.list, client.me):
                try:
                    await call()
                except ScanrillError as error:
                    shown_to_all += [str(error), repr(error), repr(error.__cause__)]
            shown_to_all += [repr(client), repr(client._http.session), repr(client._source)]
    text = caplog.text + "".join(shown_to_all)
    assert "> GET /ws/core/upload/" in text, "the library logs its handshake"
    for secret in (good, bad, SECRET, "Authorization"):
        assert secret not in text


def test_clients_and_sources_show_no_secret() -> None:
    for source in (
        Password("ada", SECRET),
        RefreshToken(SECRET),
        StaticToken(SECRET),
        CallableToken(lambda: SECRET),
    ):
        assert SECRET not in f"{source!r} {source}"
    for client in (AsyncClient("http://a.example", token=SECRET), Client("http://a.example", token=SECRET)):
        assert repr(client) == f"<{type(client).__name__} http://a.example StaticToken(***)>"


# ── the session alone ──


async def no_server(path: str, body: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError("nothing is to be asked of the server")


async def test_many_who_ask_at_once_get_one_fresh_token() -> None:
    given = []

    async def give() -> str:
        await asyncio.sleep(0)
        given.append(f"token-{len(given)}")
        return given[-1]

    session = TokenManager(CallableToken(give), no_server)
    assert set(await asyncio.gather(*(session.token() for _ in range(5)))) == {"token-0"}
    assert set(await asyncio.gather(*(session.token(rejected="token-0") for _ in range(5)))) == {"token-1"}
    assert await session.token() == "token-1"
    assert len(given) == 2


async def test_a_token_with_little_left_is_renewed_before_it_is_used(ada: Account) -> None:
    lives = iter([30, 3600])
    session = TokenManager(CallableToken(lambda: ada.mint(seconds=next(lives))), no_server)
    assert seconds_until_expiry(await session.token()) < 60
    assert seconds_until_expiry(await session.token()) > 60


async def test_a_refresh_token_is_used_before_the_password_and_the_password_when_it_ran_out() -> None:
    asked = []

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        asked.append(path)
        if len(asked) == 3:
            raise RequestError({"detail": "Expired."}, 401)
        return {"access": f"access {len(asked)}", "refresh": "refresh"}

    source = Password("ada", SECRET)
    assert [await source.fetch(post) for _ in range(3)] == ["access 1", "access 2", "access 4"]
    assert asked == ["/api/token/", "/api/token/refresh/", "/api/token/refresh/", "/api/token/"]


@pytest.mark.parametrize("error", [ServerUnreachable(), RequestError({"detail": "Too many tries."}, 429)])
async def test_a_server_that_cannot_sign_in_now_is_not_one_that_refuses(error: ScanrillError) -> None:
    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        raise error

    with pytest.raises(type(error)):
        await Password("ada", SECRET).fetch(post)


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.eyJ9.c", "a.e30.c", "a.W10.c", "a.eyJleHAiOiJ4In0.c", "é.é.é"]
)
def test_a_token_that_says_nothing_of_its_end_counts_as_valid(token: str) -> None:
    assert seconds_until_expiry(token) == float("inf")
