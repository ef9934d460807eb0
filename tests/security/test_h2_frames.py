"""H2 - frames outside of messages: they count against the rate, and pongs wait for the client."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
import websockets
from uvicorn.server import ServerState
from websockets.frames import Opcode

from backend_main.backend.websocket_protocol import FastPathWSProtocol
from tests.support.accounts import Account
from tests.support.raw_websocket import CONTINUATION, PING, PONG, TEXT, RawWebSocket, client_frame
from tests.support.server import Server
from tests.support.websocket_server import FrameRecorder, SteppedApplication, serve

# More than the burst of the default rate: 500 a second, for 4 seconds.
FLOOD = 10_000
RATE_LIMITED = 4429

FLOODS = {
    "pings": (b"", client_frame(b"x", opcode=PING)),
    "pongs": (b"", client_frame(b"", opcode=PONG)),
    "empty fragments": (
        client_frame(b"", opcode=TEXT, is_final=False),
        client_frame(b"", opcode=CONTINUATION, is_final=False),
    ),
    "small fragments": (
        client_frame(b"x", opcode=TEXT, is_final=False),
        client_frame(b"x", opcode=CONTINUATION, is_final=False),
    ),
    "empty messages": (b"", client_frame(b"")),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_h2_flood_of_frames_closes_only_its_own_socket(server: Server, kind: str) -> None:
    flooder, neighbor = Account.create(server), Account.create(server)
    first, repeated = FLOODS[kind]
    raw = await asyncio.to_thread(RawWebSocket, server.url(token=flooder.mint()))

    def flood() -> int | None:
        with suppress(ConnectionError):  # the server has closed the socket already
            raw.socket.sendall(first + repeated * FLOOD)
        return raw.close_code()

    async with neighbor.client() as other, flooder.client() as second_client:
        assert await asyncio.to_thread(flood) == RATE_LIMITED
        assert await other.request({"type": "ping"}) == {"type": "pong"}
        assert await second_client.request({"type": "ping"}) == {"type": "pong"}
    raw.close()


async def test_h2_large_fragments_of_one_message_are_not_counted(server: Server) -> None:
    fragment = "QUFB" * 2048
    async with Account.create(server).client() as client:

        async def message() -> None:
            head = '{"type":"create","ref":"big","data":{"image_base64":"'
            await client.socket.send([head, *[fragment] * 3000, '"}}'])

        await message()
        assert (await client.receive())["ref"] == "big"
        assert await client.request({"type": "ping"}) == {"type": "pong"}


async def test_h2_many_messages_in_one_write_are_handled_one_after_another(server: Server) -> None:
    """A client that sends less than the burst at once is not closed."""
    async with Account.create(server).client() as client:
        frames = b"".join(
            client_frame(json.dumps({"type": "ping", "ref": str(number)}).encode()) for number in range(1000)
        )
        client.socket.transport.write(frames)
        assert [(await client.receive())["ref"] for _ in range(1000)] == [str(n) for n in range(1000)]


async def test_h2_pings_of_a_client_that_does_not_read_get_one_pong_when_it_reads() -> None:
    application, state, text = SteppedApplication(), ServerState(), "x" * 100_000
    async with serve(application, state) as url:
        application.accept.set()
        async with websockets.connect(url, create_connection=FrameRecorder, ping_interval=None) as client:
            await application.accepted.wait()
            [connection] = state.connections
            assert isinstance(connection, FastPathWSProtocol)
            client.transport.pause_reading()
            sent = 0
            while application.try_send(text):
                sent += 1
                await asyncio.sleep(0)
            buffered = connection.transport.get_write_buffer_size()
            for number in range(100):
                connection.data_received(client_frame(str(number).encode() * 50, opcode=PING))
            assert connection.transport.get_write_buffer_size() == buffered
            client.transport.resume_reading()
            for _ in range(sent):
                await client.recv()
            pongs = [await client.frames.get() for _ in range(sent + 1)]
            assert [data for opcode, data in pongs if opcode is Opcode.PONG] == [b"99" * 50]
            application.close.set()


async def test_h2_pings_that_arrive_together_get_one_pong() -> None:
    application, state = SteppedApplication(), ServerState()
    async with serve(application, state) as url:
        application.accept.set()
        async with websockets.connect(url, create_connection=FrameRecorder, ping_interval=None) as client:
            await application.accepted.wait()
            client.transport.write(b"".join(client_frame(bytes([n]), opcode=PING) for n in range(9)))
            assert await client.frames.get() == (Opcode.PONG, b"\x08")
            application.close.set()


async def test_h2_flood_of_messages_after_the_close_frame_is_not_parsed() -> None:
    application, state = SteppedApplication(), ServerState()
    async with serve(application, state) as url:
        application.accept.set()
        async with websockets.connect(url, close_timeout=0) as client:
            await application.accepted.wait()
            [connection] = state.connections
            assert isinstance(connection, FastPathWSProtocol)
            client.transport.pause_reading()
            application.close.set()
            await application.closed.wait()
            connection.data_received(client_frame(b"") * 100)
            assert connection.transport.is_reading()
            connection.data_received(client_frame(b"") * FLOOD)
            assert not connection.transport.is_reading()
            client.transport.abort()
