"""Texts that are sent at once: their frames, and when the transport takes none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
import websockets
import wsproto
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from backend_main.backend.websocket_protocol import FastPathWSProtocol, encode_text_frame
from backend_main.core.live.send_queue import SEND_NOW

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]


class Talk:
    """An application with one connection, which goes as far as the test says."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.began, self.accept, self.accepted = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.close, self.closed = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.began.set()
        await self.accept.wait()
        await send({"type": "websocket.accept"})
        self.accepted.set()
        await self.close.wait()
        await send({"type": "websocket.close"})
        self.closed.set()

    def try_send(self, text: str) -> bool:
        sent: bool = self.scope["extensions"][SEND_NOW]["send"](text)
        return sent


@asynccontextmanager
async def served(talk: Talk, state: ServerState | None = None, **options: Any) -> AsyncIterator[str]:
    """Where it is served; `state` knows its connections."""
    config = uvicorn.Config(
        talk, ws=FastPathWSProtocol, ws_per_message_deflate=False, log_config=None, **options
    )
    config.load()
    state = state or ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: FastPathWSProtocol(config, state, {}), "127.0.0.1", 0
    )
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize("size", SIZES)
def test_a_frame_is_what_a_client_takes_for_the_whole_text(size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)
    client = wsproto.Connection(wsproto.ConnectionType.CLIENT)
    client.receive_data(encode_text_frame(text))
    [event] = client.events()
    assert isinstance(event, wsproto.events.TextMessage)
    assert (event.data, event.message_finished) == (text, True)


async def test_texts_come_in_order_whichever_way_they_are_sent() -> None:
    talk = Talk()
    async with served(talk) as url:
        talk.accept.set()
        async with websockets.connect(url, max_size=None) as client:
            for size in SIZES:
                await talk.accepted.wait()
                assert talk.try_send("x" * size)
                assert await client.recv() == "x" * size
            talk.close.set()


async def test_nothing_is_sent_before_the_handshake_and_after_the_close() -> None:
    talk = Talk()
    async with served(talk) as url:
        connecting = asyncio.ensure_future(websockets.connect(url))
        await talk.began.wait()
        assert not talk.try_send("too early")
        talk.accept.set()
        async with await connecting as client:
            talk.close.set()
            await talk.closed.wait()
            assert not talk.try_send("too late")
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()


async def test_a_client_that_does_not_read_is_sent_no_more_than_the_transport_holds() -> None:
    talk, text = Talk(), "x" * 100_000
    async with served(talk) as url:
        talk.accept.set()
        async with websockets.connect(url, max_queue=1) as client:
            await talk.accepted.wait()
            sent = 0
            while talk.try_send(text):
                sent += 1
                assert sent < 1_000
                await asyncio.sleep(0)
            client.transport.abort()


class Hearing(ClientConnection):
    """A client that keeps the kinds of all frames that came."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frames: asyncio.Queue[tuple[Opcode, bytes]] = asyncio.Queue()

    def process_event(self, event: Any) -> None:
        super().process_event(event)
        if isinstance(event, Frame):
            self.frames.put_nowait((event.opcode, bytes(event.data)))


async def test_a_quiet_client_hears_from_the_server_and_need_not_answer() -> None:
    talk = Talk()
    async with served(talk, ws_ping_interval=0.01, ws_ping_timeout=None) as url:
        talk.accept.set()
        async with websockets.connect(url, create_connection=Hearing, ping_interval=None) as client:
            assert await client.frames.get() == (Opcode.PONG, b"")
            assert talk.try_send("and texts in between")
            assert await client.recv() == "and texts in between"
            talk.close.set()
            await client.wait_closed()
            assert client.close_code == 1000


@pytest.mark.parametrize(("has_left", "code"), [(True, 1001), (False, 1012)])
async def test_a_server_that_ends_tells_it_to_who_is_there_alone(has_left: bool, code: int) -> None:
    """Who has just left has his own goodbye answered."""
    talk, state = Talk(), ServerState()
    goodbye = wsproto.Connection(wsproto.ConnectionType.CLIENT).send(wsproto.events.CloseConnection(1001))
    async with served(talk, state) as url:
        talk.accept.set()
        async with websockets.connect(url) as client:
            await talk.accepted.wait()
            [connection] = state.connections
            assert isinstance(connection, FastPathWSProtocol)
            if has_left:
                connection.data_received(goodbye)
            connection.shutdown()
            await client.wait_closed()
            assert client.close_code == code
        talk.close.set()
