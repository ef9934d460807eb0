"""Servers that a test scripts: one with a log, one that closes, one that is no scanrill at all."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from scanrill_client import (
    AsyncClient,
    ConnectionRejected,
    Created,
    Finished,
    RequestError,
    ScanrillError,
    ServerUnreachable,
    Snapshot,
    Timeouts,
    Unauthenticated,
    UnexpectedResponse,
    Updated,
)

from tests.clients.conftest import QUICK
from tests.clients.fake_server import Conversation, Script, socket_server, web_server
from tests.clients.sample_messages import acknowledged, change, ended, instance, listed

TOKEN = "a-token"


def client_at(url: str, timeouts: Timeouts = QUICK) -> AsyncClient:
    return AsyncClient(url, token=TOKEN, timeouts=timeouts)


# ── a log ──


async def test_what_was_missed_is_told_in_order_and_nothing_twice() -> None:
    heard = []

    async def first(server: Conversation) -> None:
        heard.append(await server.hears())
        await server.says(acknowledged(cursor="7:1"))
        request = await server.hears()
        await server.says(listed(ref=request["ref"]))
        await server.says(change("created", instance("a"), cursor="7:2"))
        await server.closes(4499)

    async def second(server: Conversation) -> None:
        await server.says(change("created", instance("b")))  # before it knows that the client has opted in
        heard.append(await server.hears())
        await server.says(acknowledged(cursor="7:2", recovered=True))
        await server.says(change("created", instance("b"), cursor="7:3"), ended("a", cursor="7:4"))
        await server.is_left()

    async with (
        socket_server(first, second) as url,
        client_at(url) as client,
        aclosing(client.events()) as events,
    ):
        told = [await anext(events) for _ in range(4)]
        assert [type(event) for event in told] == [Snapshot, Created, Created, Finished]
        assert [event.cursor for event in told] == ["7:1", "7:2", "7:3", "7:4"]
        assert [event.upload_id for event in told] == [None, "a", "b", "a"]
        assert {key: upload.status for key, upload in client.uploads.items()} == {
            "a": "processed",
            "b": "pending",
        }
        assert client.cursor == "7:4"
    subscribe = {"type": "subscribe", "stream": "pages"}
    assert heard == [subscribe, subscribe | {"since": "7:2"}]


async def test_where_the_log_does_not_go_back_so_far_the_list_comes_before_what_follows_it() -> None:
    async def first(server: Conversation) -> None:
        await server.hears()
        await server.says(acknowledged(cursor="7:1"))
        request = await server.hears()
        await server.says(listed(instance("gone"), instance("kept"), ref=request["ref"]))
        await server.closes(1012)

    async def second(server: Conversation) -> None:
        assert (await server.hears())["since"] == "7:1"
        await server.says(acknowledged(cursor="8:40", recovered=False))
        await server.says(listed(instance("kept", filename="new name.png")))
        await server.says(change("updated", instance("kept", filename="newer.png"), cursor="8:41"))
        await server.closes(1012)

    async def third(server: Conversation) -> None:
        assert (await server.hears())["since"] == "8:41"
        await server.says(acknowledged(cursor="8:41", recovered=True), ended("kept", cursor="8:42"))
        await server.is_left()

    async with socket_server(first, second, third) as url, client_at(url) as client:
        async with aclosing(client.events()) as events:
            told = [await anext(events) for _ in range(4)]
        assert [type(event) for event in told] == [Snapshot, Snapshot, Updated, Finished]
        [upload] = client.uploads.values()
        assert (upload.filename, upload.status) == ("newer.png", "processed")


async def test_a_list_in_pages_is_asked_for_page_by_page() -> None:
    async def script(server: Conversation) -> None:
        await server.hears()
        await server.says(acknowledged(cursor="7:1"))
        request = await server.hears()
        assert "cursor" not in request
        await server.says(listed(instance("a"), ref=request["ref"], next="more"))
        request = await server.hears()
        assert request["cursor"] == "more"
        await server.says(listed(instance("b"), ref=request["ref"]))
        await server.is_left()

    async with socket_server(script) as url, client_at(url) as client, aclosing(client.events()) as events:
        event = await anext(events)
        assert isinstance(event, Snapshot)
        assert [upload.id for upload in event.uploads] == ["a", "b"]


# ── the end of a connection ──


def closing(code: int, reason: str = "") -> Script:
    async def script(server: Conversation) -> None:
        await server.closes(code, reason)

    return script


async def welcoming(server: Conversation) -> None:
    await server.hears()
    await server.says(acknowledged())
    await server.is_left()


@pytest.mark.parametrize("code", [4403, 4404])
async def test_a_final_close_ends_all_with_its_reason(code: int) -> None:
    async with socket_server(closing(code, "Not from there.")) as url, client_at(url) as client:
        for call in (client.connect(), client.read(b"x"), anext(client.events())):
            with pytest.raises(ConnectionRejected, match="Not from there") as raised:
                await call
            assert raised.value.code == code


@pytest.mark.parametrize("code", [1000, 1001, 1009, 1011, 1012, 4429, 4499, 4999])
async def test_any_other_close_is_followed_by_another_try(code: int) -> None:
    async with socket_server(closing(code), closing(code), welcoming) as url, client_at(url) as client:
        await client.connect()


async def test_too_many_connections_are_waited_for_longer() -> None:
    timeouts = Timeouts(initial_backoff=0.0, max_backoff=0.0, rate_limit_delay=0.1)
    async with socket_server(closing(4429), welcoming) as url, client_at(url, timeouts) as client:
        began = asyncio.get_running_loop().time()
        await client.connect()
        assert asyncio.get_running_loop().time() - began >= 0.1


async def test_a_token_is_refused_once_more_before_it_is_over_and_each_connection_counts_anew() -> None:
    given = []

    def give() -> str:
        given.append(f"token-{len(given)}")
        return given[-1]

    async def expiring(server: Conversation) -> None:
        await server.hears()
        await server.says(acknowledged())
        await server.closes(4401)

    scripts = [closing(4401), expiring, closing(4401), welcoming]
    # The fourth connection is not reached: two refusals without a welcome between them.
    async with socket_server(*scripts) as url, AsyncClient(url, token=give, timeouts=QUICK) as client:
        await client.connect()
        with pytest.raises(Unauthenticated):
            async for _ in client.events():
                pass
    assert given == ["token-0", "token-1", "token-2"]


async def test_a_refused_subscription_is_told() -> None:
    async def script(server: Conversation) -> None:
        await server.hears()
        await server.says({"type": "subscribed", "error": {"stream": "There is no such stream."}})
        await server.is_left()

    async with socket_server(script) as url, client_at(url) as client:
        with pytest.raises(RequestError, match="no such stream"):
            await client.connect()


@pytest.mark.parametrize("frame", ["nonsense", '{"type": 7}', '{"instance": {"id": "u"}}'])
async def test_a_frame_that_is_no_message_is_one_kind_of_error(frame: str) -> None:
    async def script(server: Conversation) -> None:
        await server.says(frame)
        await server.is_left()

    async with socket_server(script) as url, client_at(url) as client:
        with pytest.raises(UnexpectedResponse):
            await client.connect()


async def test_a_server_that_talks_is_not_asked_whether_it_is_there() -> None:
    pings = []

    async def script(server: Conversation) -> None:
        await server.hears()
        await server.says(acknowledged())
        for _ in range(5):
            request = await server.hears()
            await server.says(listed(ref=request["ref"]))
        pings.append(server.pings)
        await server.is_left()

    async with socket_server(script) as url, AsyncClient(url, token=TOKEN, transport="socket") as client:
        for _ in range(5):
            await client.list()
    assert pings == [0]


# ── no scanrill ──

HTML = (
    b"HTTP/1.1 %d Whatever\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<p>Hi"
)


@pytest.mark.parametrize(
    ("answer", "of_socket", "of_rest"),
    [
        (HTML % 502, ServerUnreachable, ServerUnreachable),
        (HTML % 404, ConnectionRejected, RequestError),
        (HTML % 200, UnexpectedResponse, UnexpectedResponse),
        (b"SSH-2.0-OpenSSH_9.9\r\n", UnexpectedResponse, ServerUnreachable),
        (b"", ServerUnreachable, ServerUnreachable),
    ],
)
async def test_what_is_no_scanrill_is_told_in_our_errors(
    answer: bytes, of_socket: type[ScanrillError], of_rest: type[ScanrillError]
) -> None:
    async with web_server(answer) as (url, _), client_at(url) as client:
        with pytest.raises(of_socket) as raised:
            await client.connect()
        assert type(raised.value) is of_socket
        with pytest.raises(of_rest):
            await client.list()


async def test_a_token_follows_no_redirect() -> None:
    async with web_server(HTML % 200) as (elsewhere, heads):
        moved = (
            f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        async with web_server(moved.encode()) as (url, _), client_at(url) as client:
            for call in (client.connect(), client.list(), client.create(b"x")):
                with pytest.raises(ScanrillError):
                    await call
        assert heads == []
