"""Tokens: static, from a function, renewed and rejected; never in a log."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from scanrill_client import (
    AsyncClient,
    Client,
    Finished,
    NotFound,
    Password,
    RefreshToken,
    RequestError,
    ScanrillError,
    ServerUnreachable,
    Unauthenticated,
)
from scanrill_client.tokens import CallableToken, StaticToken, TokenManager, seconds_until_expiry

from tests.clients.conftest import MakeClient, ReadingGate, next_event, wait_for_text
from tests.support.accounts import Account
from tests.support.page_images import scripted_png

SECRET = "correct horse 7"


# ── with a real server ──


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "a\r\nX-Other: b", "ä"])
async def test_invalid_token_raises_unauthenticated_at_once(
    ada: Account, make_client: MakeClient, token: str
) -> None:
    client = make_client(ada, token=token)
    with pytest.raises(Unauthenticated):
        await client.connect()
    for call in (client.list(), client.read(scripted_png()), client.create(scripted_png())):
        with pytest.raises(Unauthenticated):
            await call


async def test_rejected_token_is_fetched_once_more(ada: Account, make_client: MakeClient) -> None:
    calls = []

    def next_token() -> str:
        calls.append(1)
        return ada.mint(key="another key, which is as long as it should be")

    with pytest.raises(Unauthenticated):
        await make_client(ada, token=next_token).connect()
    assert len(calls) == 2
    with pytest.raises(Unauthenticated):
        await make_client(ada, token=next_token).list()
    assert len(calls) == 4


class CountingTokens:
    """Token function: the first token is valid for `seconds`, the others for long; `renewed` is set then."""

    def __init__(self, account: Account, *, seconds: float) -> None:
        self._account, self._seconds = account, seconds
        self.fetched = 0
        self.renewed = asyncio.Event()

    async def __call__(self) -> str:
        self.fetched += 1
        if self.fetched == 1:
            return self._account.mint(seconds=self._seconds)
        self.renewed.set()
        return self._account.mint()


async def test_token_expiring_during_a_reading_is_renewed_without_loss(
    ada: Account, make_client: MakeClient, gate: ReadingGate
) -> None:
    """Only the socket renews the token: no REST request comes in between."""
    tokens = CountingTokens(ada, seconds=1.2)
    client, other = make_client(ada, token=tokens), make_client(ada)
    events = client.events()
    await anext(events)
    created = await other.create(scripted_png(lines=["one", "two"], **gate.after(1)))
    await wait_for_text(events, "one")
    await tokens.renewed.wait()
    gate.open()
    ended = await next_event(events, Finished)
    assert (ended.upload_id, ended.result(), tokens.fetched) == (created.upload_id, "one\ntwo", 2)
    await events.aclose()


async def test_expired_token_is_renewed_for_a_rest_request(ada: Account, make_client: MakeClient) -> None:
    tokens = CountingTokens(ada, seconds=-60)
    assert (await make_client(ada, token=tokens).create(scripted_png())).instance.owner == ada.name
    assert tokens.fetched == 2


async def test_expired_static_token_ends_the_events(ada: Account, make_client: MakeClient) -> None:
    client = make_client(ada, token=ada.mint(seconds=1.2))
    with pytest.raises(Unauthenticated, match="expired"):
        async for _ in client.events():
            pass


async def test_deactivated_user_ends_the_events(ada: Account, make_client: MakeClient) -> None:
    client = make_client(ada)
    events = client.events()
    await anext(events)
    ada.deactivate()
    with pytest.raises(Unauthenticated):
        await anext(events)


async def test_password_and_refresh_token_sign_in(ada: Account, make_client: MakeClient) -> None:
    ada.set_password(SECRET)
    client = make_client(ada, token=Password(ada.name, SECRET))
    assert await client.read(scripted_png(lines=["one"])) == "one"
    tokens = await client._http._post("/api/token/", {"username": ada.name, "password": SECRET})
    refreshed = make_client(ada, token=RefreshToken(tokens["refresh"]))
    assert len((await refreshed.list()).uploads) == 1


async def test_wrong_password_raises_unauthenticated(ada: Account, make_client: MakeClient) -> None:
    ada.set_password(SECRET)
    for token in (Password(ada.name, "wrong"), RefreshToken("wrong")):
        with pytest.raises(Unauthenticated):
            await make_client(ada, token=token).list()


# ── secrets ──


async def test_tokens_are_not_in_logs_errors_or_reprs(
    ada: Account, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    ada.set_password(SECRET)
    good, bad = ada.mint(), ada.mint(key="another key, which is as long as it should be")
    visible: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for token in (good, bad, lambda: bad, Password(ada.name, SECRET), Password(ada.name, SECRET + "!")):
            client = make_client(ada, token=token)
            for call in (client.connect, client.list, client.me):
                try:
                    await call()
                except ScanrillError as error:
                    visible += [str(error), repr(error), repr(error.__cause__)]
            visible += [repr(client), repr(client._http.tokens), repr(client._source)]
    text = caplog.text + "".join(visible)
    assert "> GET /ws/core/upload/" in text, "the library logs its handshake"
    for secret in (good, bad, SECRET, "Authorization"):
        assert secret not in text


def test_repr_of_clients_and_token_sources_has_no_secret() -> None:
    for source in (
        Password("ada", SECRET),
        RefreshToken(SECRET),
        StaticToken(SECRET),
        CallableToken(lambda: SECRET),
    ):
        assert SECRET not in f"{source!r} {source}"
    for client in (AsyncClient("http://a.example", token=SECRET), Client("http://a.example", token=SECRET)):
        assert repr(client) == f"<{type(client).__name__} http://a.example StaticToken(***)>"


# ── token manager and sources ──


async def no_server(path: str, body: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError("unexpected request to the server")


async def test_token_manager_shares_one_fetch() -> None:
    fetched = []

    async def fetch() -> str:
        await asyncio.sleep(0)
        fetched.append(f"token-{len(fetched)}")
        return fetched[-1]

    manager = TokenManager(CallableToken(fetch), no_server)
    assert set(await asyncio.gather(*(manager.token() for _ in range(5)))) == {"token-0"}
    assert set(await asyncio.gather(*(manager.token(rejected="token-0") for _ in range(5)))) == {"token-1"}
    assert await manager.token() == "token-1"
    assert len(fetched) == 2


async def test_token_manager_renews_a_token_that_expires_soon(ada: Account) -> None:
    lifetimes = iter([30, 3600])
    manager = TokenManager(CallableToken(lambda: ada.mint(seconds=next(lifetimes))), no_server)
    assert seconds_until_expiry(await manager.token()) < 60
    assert seconds_until_expiry(await manager.token()) > 60


async def test_password_source_prefers_the_refresh_token_until_it_expires() -> None:
    paths = []

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        paths.append(path)
        if len(paths) == 3:
            raise RequestError({"detail": "Expired."}, 401)
        return {"access": f"access {len(paths)}", "refresh": "refresh"}

    source = Password("ada", SECRET)
    assert [await source.fetch(post) for _ in range(3)] == ["access 1", "access 2", "access 4"]
    assert paths == ["/api/token/", "/api/token/refresh/", "/api/token/refresh/", "/api/token/"]


async def test_refresh_token_source_uses_and_reports_each_new_token() -> None:
    sent, reported = [], []

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        sent.append(body["refresh"])
        return {"access": f"access {len(sent)}", "refresh": f"refresh {len(sent)}"}

    source = RefreshToken("refresh 0", reported.append)
    assert [await source.fetch(post) for _ in range(2)] == ["access 1", "access 2"]
    assert sent == ["refresh 0", "refresh 1"]
    assert reported == ["refresh 1", "refresh 2"]


async def test_sessions_are_listed_and_ended(ada: Account, make_client: MakeClient) -> None:
    ada.set_password(SECRET)
    one, two = (make_client(ada, token=Password(ada.name, SECRET)) for _ in range(2))
    await two.me()
    [newest, oldest] = (await one.sessions()).sessions
    assert (newest.current, oldest.current) == (True, False)
    assert oldest.user_agent.startswith("python-httpx/")
    await one.end_session(oldest.id)
    assert [session.id for session in (await one.sessions()).sessions] == [newest.id]
    with pytest.raises(NotFound):
        await one.end_session(oldest.id)


async def test_api_keys_are_created_listed_used_and_revoked(ada: Account, make_client: MakeClient) -> None:
    client = make_client(ada)
    created = await client.create_api_key("hall", scope="read", expires_in_days=7)
    assert created.key not in repr(created)
    assert created.key.startswith(created.prefix)
    with_key = make_client(ada, token=created.key)
    assert (await with_key.me()).username == ada.name
    with pytest.raises(RequestError):
        await with_key.api_keys()
    [listed] = (await client.api_keys()).keys
    assert (listed.id, listed.scope) == (created.id, "read")
    await client.revoke_api_key(created.id)
    assert (await client.api_keys()).keys == ()
    with pytest.raises(NotFound):
        await client.revoke_api_key(created.id)


@pytest.mark.parametrize("error", [ServerUnreachable(), RequestError({"detail": "Too many tries."}, 429)])
async def test_password_source_passes_transient_errors_on(error: ScanrillError) -> None:
    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        raise error

    with pytest.raises(type(error)):
        await Password("ada", SECRET).fetch(post)


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.eyJ9.c", "a.e30.c", "a.W10.c", "a.eyJleHAiOiJ4In0.c", "é.é.é"]
)
def test_seconds_until_expiry_of_a_token_without_expiry_is_infinite(token: str) -> None:
    assert seconds_until_expiry(token) == float("inf")
