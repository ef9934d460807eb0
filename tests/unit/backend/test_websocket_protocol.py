"""Fast path for text messages: frames, refusals, keep-alive and shutdown."""

from __future__ import annotations

import asyncio

import pytest
import websockets
import wsproto
from uvicorn.server import ServerState
from websockets.frames import Opcode

from backend_main.backend.websocket_frames import encode_text_frame
from backend_main.backend.websocket_protocol import FastPathWSProtocol
from tests.support.websocket_server import FrameRecorder, SteppedApplication, serve

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]


@pytest.mark.parametrize("size", SIZES)
def test_encode_text_frame_is_one_whole_message_for_a_client(size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)
    client = wsproto.Connection(wsproto.ConnectionType.CLIENT)
    client.receive_data(encode_text_frame(text))
    [event] = client.events()
    assert isinstance(event, wsproto.events.TextMessage)
    assert (event.data, event.message_finished) == (text, True)


async def test_try_send_sends_texts_of_all_sizes_in_order() -> None:
    application = SteppedApplication()
    async with serve(application) as url:
        application.accept.set()
        async with websockets.connect(url, max_size=None) as client:
            for size in SIZES:
                await application.accepted.wait()
                assert application.try_send("x" * size)
                assert await client.recv() == "x" * size
            application.close.set()


async def test_try_send_before_handshake_and_after_close_sends_nothing() -> None:
    application = SteppedApplication()
    async with serve(application) as url:
        connecting = asyncio.ensure_future(websockets.connect(url))
        await application.started.wait()
        assert not application.try_send("too early")
        application.accept.set()
        async with await connecting as client:
            application.close.set()
            await application.closed.wait()
            assert not application.try_send("too late")
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()


async def test_try_send_to_a_client_that_does_not_read_stops_at_the_buffer() -> None:
    application, text = SteppedApplication(), "x" * 100_000
    async with serve(application) as url:
        application.accept.set()
        async with websockets.connect(url, max_queue=1) as client:
            await application.accepted.wait()
            sent = 0
            while application.try_send(text):
                sent += 1
                assert sent < 1_000
                await asyncio.sleep(0)
            client.transport.abort()


async def test_keepalive_sends_pongs_to_an_idle_client() -> None:
    application = SteppedApplication()
    async with serve(application, ws_ping_interval=0.01, ws_ping_timeout=None) as url:
        application.accept.set()
        async with websockets.connect(url, create_connection=FrameRecorder, ping_interval=None) as client:
            assert await client.frames.get() == (Opcode.PONG, b"")
            assert application.try_send("and texts in between")
            assert await client.recv() == "and texts in between"
            application.close.set()
            await client.wait_closed()
            assert client.close_code == 1000


@pytest.mark.parametrize(("client_closed", "code"), [(True, 1001), (False, 1012)])
async def test_shutdown_closes_with_1012_unless_the_client_has_closed(client_closed: bool, code: int) -> None:
    application, state = SteppedApplication(), ServerState()
    close_frame = wsproto.Connection(wsproto.ConnectionType.CLIENT).send(wsproto.events.CloseConnection(1001))
    async with serve(application, state) as url:
        application.accept.set()
        async with websockets.connect(url) as client:
            await application.accepted.wait()
            [connection] = state.connections
            assert isinstance(connection, FastPathWSProtocol)
            if client_closed:
                connection.data_received(close_frame)
            connection.shutdown()
            await client.wait_closed()
            assert client.close_code == code
        application.close.set()
