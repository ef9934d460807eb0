"""Client before fake servers: with an event log, with each close code, and without scanrill."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from scanrill_client import (
    AsyncClient,
    ConnectionLost,
    ConnectionRejected,
    Created,
    Finished,
    Password,
    RequestError,
    ScanrillError,
    ServerUnreachable,
    Snapshot,
    Timeouts,
    Unauthenticated,
    UnexpectedResponse,
    Updated,
    event_methods,
)

from tests.clients.conftest import FAST_TIMEOUTS
from tests.clients.fake_server import FakeServerConnection, Script, fake_http_server, fake_websocket_server
from tests.clients.sample_messages import (
    change_message,
    finished_message,
    instance,
    list_message,
    subscribed_message,
)

TOKEN = "a-token"
UPLOAD_ID = "00000000-0000-4000-8000-000000000000"


def client_at(url: str, timeouts: Timeouts = FAST_TIMEOUTS) -> AsyncClient:
    return AsyncClient(url, token=TOKEN, timeouts=timeouts)


# ── event log ──


async def test_events_after_reconnect_are_replayed_in_order_and_once() -> None:
    requests = []

    async def first(server: FakeServerConnection) -> None:
        requests.append(await server.receive())
        await server.send(subscribed_message(cursor="7:1"))
        request = await server.receive()
        await server.send(list_message(ref=request["ref"]))
        await server.send(change_message("created", instance("a"), cursor="7:2"))
        await server.close(4499)

    async def second(server: FakeServerConnection) -> None:
        await server.send(change_message("created", instance("b")))  # sent before the subscription arrives
        requests.append(await server.receive())
        await server.send(subscribed_message(cursor="7:2", recovered=True))
        await server.send(
            change_message("created", instance("b"), cursor="7:3"), finished_message("a", cursor="7:4")
        )
        await server.wait_closed()

    async with (
        fake_websocket_server(first, second) as url,
        client_at(url) as client,
        aclosing(client.events()) as events,
    ):
        received = [await anext(events) for _ in range(4)]
        assert [type(event) for event in received] == [Snapshot, Created, Created, Finished]
        assert [event.cursor for event in received] == ["7:1", "7:2", "7:3", "7:4"]
        assert [event.upload_id for event in received] == [None, "a", "b", "a"]
        assert {key: upload.status for key, upload in client.uploads.items()} == {
            "a": "processed",
            "b": "pending",
        }
        assert client.cursor == "7:4"
    subscribe = {"type": "subscribe", "stream": "pages"}
    assert requests == [subscribe, subscribe | {"since": "7:2"}]


async def test_events_after_reconnect_without_recovery_start_with_a_snapshot() -> None:
    async def first(server: FakeServerConnection) -> None:
        await server.receive()
        await server.send(subscribed_message(cursor="7:1"))
        request = await server.receive()
        await server.send(list_message(instance("gone"), instance("kept"), ref=request["ref"]))
        await server.close(1012)

    async def second(server: FakeServerConnection) -> None:
        assert (await server.receive())["since"] == "7:1"
        await server.send(subscribed_message(cursor="8:40", recovered=False))
        await server.send(list_message(instance("kept", filename="new name.png")))
        await server.send(change_message("updated", instance("kept", filename="newer.png"), cursor="8:41"))
        await server.close(1012)

    async def third(server: FakeServerConnection) -> None:
        assert (await server.receive())["since"] == "8:41"
        await server.send(
            subscribed_message(cursor="8:41", recovered=True), finished_message("kept", cursor="8:42")
        )
        await server.wait_closed()

    async with fake_websocket_server(first, second, third) as url, client_at(url) as client:
        async with aclosing(client.events()) as events:
            received = [await anext(events) for _ in range(4)]
        assert [type(event) for event in received] == [Snapshot, Snapshot, Updated, Finished]
        [upload] = client.uploads.values()
        assert (upload.filename, upload.status) == ("newer.png", "processed")


async def test_snapshot_of_several_pages_requests_each_page() -> None:
    async def script(server: FakeServerConnection) -> None:
        await server.receive()
        await server.send(subscribed_message(cursor="7:1"))
        request = await server.receive()
        assert "cursor" not in request
        await server.send(list_message(instance("a"), ref=request["ref"], next="more"))
        request = await server.receive()
        assert request["cursor"] == "more"
        await server.send(list_message(instance("b"), ref=request["ref"]))
        await server.wait_closed()

    async with (
        fake_websocket_server(script) as url,
        client_at(url) as client,
        aclosing(client.events()) as events,
    ):
        event = await anext(events)
        assert isinstance(event, Snapshot)
        assert [upload.id for upload in event.uploads] == ["a", "b"]


# ── close codes ──


def close_with(code: int, reason: str = "") -> Script:
    async def script(server: FakeServerConnection) -> None:
        await server.close(code, reason)

    return script


async def accept_subscription(server: FakeServerConnection) -> None:
    await server.receive()
    await server.send(subscribed_message())
    await server.wait_closed()


@pytest.mark.parametrize("code", [4403, 4404])
async def test_final_close_code_raises_connection_rejected(code: int) -> None:
    async with (
        fake_websocket_server(close_with(code, "Origin not allowed.")) as url,
        client_at(url) as client,
    ):
        for call in (client.connect(), client.read(b"x"), anext(client.events())):
            with pytest.raises(ConnectionRejected, match="Origin not allowed") as raised:
                await call
            assert raised.value.code == code


@pytest.mark.parametrize("code", [1000, 1001, 1009, 1011, 1012, 4429, 4499, 4999])
async def test_other_close_codes_lead_to_a_reconnect(code: int) -> None:
    async with (
        fake_websocket_server(close_with(code), close_with(code), accept_subscription) as url,
        client_at(url) as client,
    ):
        await client.connect()


async def test_close_code_4429_delays_the_reconnect() -> None:
    timeouts = Timeouts(initial_backoff=0.0, max_backoff=0.0, rate_limit_delay=0.1)
    async with (
        fake_websocket_server(close_with(4429), accept_subscription) as url,
        client_at(url, timeouts) as client,
    ):
        started_at = asyncio.get_running_loop().time()
        await client.connect()
        assert asyncio.get_running_loop().time() - started_at >= 0.1


async def test_close_code_4401_twice_without_a_subscription_raises_unauthenticated() -> None:
    tokens = []

    def next_token() -> str:
        tokens.append(f"token-{len(tokens)}")
        return tokens[-1]

    async def expiring(server: FakeServerConnection) -> None:
        await server.receive()
        await server.send(subscribed_message())
        await server.close(4401)

    scripts = [close_with(4401), expiring, close_with(4401), accept_subscription]
    # The fourth connection is not opened: the third is the second rejection in a row.
    async with (
        fake_websocket_server(*scripts) as url,
        AsyncClient(url, token=next_token, timeouts=FAST_TIMEOUTS) as client,
    ):
        await client.connect()
        with pytest.raises(Unauthenticated):
            async for _ in client.events():
                pass
    assert tokens == ["token-0", "token-1", "token-2"]


async def test_rejected_subscription_raises_request_error() -> None:
    async def script(server: FakeServerConnection) -> None:
        await server.receive()
        await server.send({"type": "subscribed", "error": {"stream": "Unknown stream."}})
        await server.wait_closed()

    async with fake_websocket_server(script) as url, client_at(url) as client:
        with pytest.raises(RequestError, match="Unknown stream"):
            await client.connect()


@pytest.mark.parametrize("frame", ["nonsense", '{"type": 7}', '{"instance": {"id": "u"}}'])
async def test_invalid_frame_raises_unexpected_response(frame: str) -> None:
    async def script(server: FakeServerConnection) -> None:
        await server.send(frame)
        await server.wait_closed()

    async with fake_websocket_server(script) as url, client_at(url) as client:
        with pytest.raises(UnexpectedResponse):
            await client.connect()


async def test_active_server_gets_no_ping() -> None:
    pings = []

    async def script(server: FakeServerConnection) -> None:
        await server.receive()
        await server.send(subscribed_message())
        for _ in range(5):
            request = await server.receive()
            await server.send(list_message(ref=request["ref"]))
        pings.append(server.pings)
        await server.wait_closed()

    async with (
        fake_websocket_server(script) as url,
        AsyncClient(url, token=TOKEN, transport="socket") as client,
    ):
        for _ in range(5):
            await client.list()
    assert pings == [0]


# ── other servers ──

HTML = (
    b"HTTP/1.1 %d Whatever\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<p>Hi"
)


@pytest.mark.parametrize(
    ("response", "socket_error", "rest_error"),
    [
        (HTML % 502, ServerUnreachable, ServerUnreachable),
        (HTML % 404, ConnectionRejected, RequestError),
        (HTML % 200, UnexpectedResponse, UnexpectedResponse),
        (b"SSH-2.0-OpenSSH_9.9\r\n", UnexpectedResponse, ServerUnreachable),
        (b"", ServerUnreachable, ServerUnreachable),
    ],
)
async def test_response_of_another_server_raises_a_scanrill_error(
    response: bytes, socket_error: type[ScanrillError], rest_error: type[ScanrillError]
) -> None:
    async with fake_http_server(response) as (url, _), client_at(url) as client:
        with pytest.raises(socket_error) as raised:
            await client.connect()
        assert type(raised.value) is socket_error
        with pytest.raises(rest_error):
            await client.list()


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_proxy_error_leaves_the_outcome_of_a_change_unknown(status: int) -> None:
    """The proxy may have forwarded the request before its server died."""
    async with fake_http_server(HTML % status) as (url, _), client_at(url) as client:
        for change in (
            client.create(b"x"),
            client.update(UPLOAD_ID, filename="new.png"),
            client.delete(UPLOAD_ID),
            client.cancel(UPLOAD_ID),
            client.retry(UPLOAD_ID),
        ):
            with pytest.raises(ConnectionLost):
                await change
        with pytest.raises(ServerUnreachable):
            await client.retrieve(UPLOAD_ID)


async def test_proxy_error_during_an_upload_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload is idempotent by its content, so `upload` repeats it; `create` leaves that to the caller."""
    monkeypatch.setattr(event_methods, "MAX_ATTEMPTS", 2)

    async def script(server: FakeServerConnection) -> None:
        await server.receive()
        await server.send(subscribed_message())
        await server.wait_closed()

    async with (
        fake_websocket_server(script) as socket_url,
        fake_http_server(HTML % 502) as (url, heads),
        client_at(socket_url) as client,
        client_at(url) as other,
    ):
        client._requests = other._requests
        with pytest.raises(ConnectionLost):
            await client.read(b"x")
        assert len(heads) == 3


@pytest.mark.parametrize("response", [HTML % 502, b""], ids=["proxy", "cut"])
async def test_token_request_without_response_raises_server_unreachable(response: bytes) -> None:
    """A token request can be repeated, and the connection repeats it while the server restarts."""
    async with (
        fake_http_server(response) as (url, heads),
        AsyncClient(url, token=Password("ada", "secret"), timeouts=FAST_TIMEOUTS) as client,
    ):
        for call in (client.create(b"x"), client.list(), client.connect()):
            with pytest.raises(ServerUnreachable):
                await call
        assert len(heads) == 3


async def test_redirect_is_not_followed_with_the_token() -> None:
    async with fake_http_server(HTML % 200) as (other_url, heads):
        redirect = (
            f"HTTP/1.1 307 Moved\r\nLocation: {other_url}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        async with fake_http_server(redirect.encode()) as (url, _), client_at(url) as client:
            for call in (client.connect(), client.list(), client.create(b"x")):
                with pytest.raises(ScanrillError):
                    await call
        assert heads == []
