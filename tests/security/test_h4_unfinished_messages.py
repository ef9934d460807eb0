"""H4 - unfinished messages: limits of their memory and time, and memory that is freed at once."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import websockets
from uvicorn.server import ServerState

from backend_main.backend import websocket_protocol
from backend_main.backend.websocket_protocol import MIN_PROGRESS_BYTES, FastPathWSProtocol
from backend_main.core.live.message_memory import MessageMemory
from backend_main.core.live.server_connection import SERVER_CONNECTION
from tests.support.accounts import Account
from tests.support.memory_monitor import MemoryMonitor
from tests.support.raw_websocket import TEXT, RawWebSocket, client_frame
from tests.support.server import Server
from tests.support.websocket_server import serve

MIB = 1024 * 1024
RATE_LIMITED = 4429


class OwnedApplication:
    """ASGI application whose connections belong to the user in the query. It records the messages."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self.handle = asyncio.Event()
        self.handle.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        user = scope["query_string"].decode()
        scope["extensions"][SERVER_CONNECTION].set_owner(user)
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.messages.put_nowait((user, len(message["text"])))
            del message
            await self.handle.wait()


def unfinished(size: int) -> bytes:
    return client_frame(b"x" * size, opcode=TEXT, is_final=False)


async def test_h4_user_with_most_bytes_loses_the_largest_unfinished_message() -> None:
    application, memory = OwnedApplication(), MessageMemory(MIB)
    async with serve(application, message_memory=memory, ws_max_size=MIB) as url:
        hoarder = [await websockets.connect(f"{url}?hoarder") for _ in range(3)]
        async with websockets.connect(f"{url}?other") as other:
            for client, size in zip(hoarder, [300_000, 350_000, 250_000], strict=True):
                client.transport.write(unfinished(size))
            while memory.total < 900_000:  # The sockets arrive in any order.
                await asyncio.sleep(0.01)
            await other.send("x" * 400_000)
            assert await application.messages.get() == ("other", 400_000)
            await hoarder[1].wait_closed()
            assert hoarder[1].close_code == RATE_LIMITED
            for client in (hoarder[0], hoarder[2]):
                client.transport.write(client_frame(b"", opcode=0))
            finished = [await application.messages.get() for _ in range(2)]
            assert sorted(finished) == [("hoarder", 250_000), ("hoarder", 300_000)]
        for client in hoarder:
            await client.close()
    assert memory.total == 0


async def test_h4_message_of_a_closing_connection_is_dropped() -> None:
    application, memory, state = OwnedApplication(), MessageMemory(MIB), ServerState()
    async with (
        serve(application, state, message_memory=memory, ws_max_size=MIB) as url,
        websockets.connect(f"{url}?one") as first,
    ):
        [closing] = state.connections
        first.transport.write(unfinished(700_000))
        while memory.total < 700_000:
            await asyncio.sleep(0.01)
        async with websockets.connect(f"{url}?other"):
            [other] = state.connections - {closing}
            assert isinstance(other, FastPathWSProtocol)
            closing.transport.close()  # The loop reports it lost later, or when the client has read all.
            other.data_received(unfinished(400_000))
            assert memory.total == 400_000
    assert memory.total == 0


async def test_h4_messages_in_work_count_until_they_are_handled() -> None:
    application, memory = OwnedApplication(), MessageMemory(MIB)
    async with serve(application, message_memory=memory, ws_max_size=MIB) as url:
        application.handle.clear()
        async with websockets.connect(f"{url}?one") as first, websockets.connect(f"{url}?one") as second:
            await first.send("x" * 700_000)
            await application.messages.get()
            second.transport.write(unfinished(400_000))
            await second.wait_closed()
            assert second.close_code == RATE_LIMITED
            assert memory.total == 700_000
            application.handle.set()
            await first.send("x" * 600_000)
            assert await application.messages.get() == ("one", 600_000)
    assert memory.total == 0


@pytest.fixture
def short_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "PROGRESS_INTERVAL_SECONDS", 0.01)


@pytest.mark.usefixtures("short_interval")
@pytest.mark.parametrize("data", [unfinished(1000), client_frame(b"x" * 1000)[:-1], b"\x81"])
async def test_h4_unfinished_message_without_progress_closes_the_socket(data: bytes) -> None:
    async with serve(OwnedApplication()) as url, websockets.connect(url) as client:
        client.transport.write(data)
        await client.wait_closed()
        assert client.close_code == RATE_LIMITED


async def test_h4_time_of_a_message_runs_only_while_the_server_reads_it() -> None:
    application, state = OwnedApplication(), ServerState()
    application.handle.clear()
    async with serve(application, state) as url, websockets.connect(url) as client:
        [connection] = state.connections
        assert isinstance(connection, FastPathWSProtocol)
        await client.send("first")
        await application.messages.get()
        connection.data_received(client_frame(b"second") + unfinished(10))
        assert connection._progress_timer is None  # the server does not read on while it handles a message
        application.handle.set()
        assert await application.messages.get() == ("", 6)
        assert connection._progress_timer is not None
        client.transport.write(client_frame(b"", opcode=0))
        assert await application.messages.get() == ("", 10)
        assert connection._progress_timer is None


async def test_h4_unfinished_message_that_grows_is_not_closed() -> None:
    application, state = OwnedApplication(), ServerState()
    async with serve(application, state) as url, websockets.connect(url) as client:
        [connection] = state.connections
        assert isinstance(connection, FastPathWSProtocol)
        connection.data_received(unfinished(10))
        connection.data_received(client_frame(b"x" * MIN_PROGRESS_BYTES, opcode=0, is_final=False))
        connection._check_progress()
        connection.data_received(client_frame(b"", opcode=0))
        assert await application.messages.get() == ("", MIN_PROGRESS_BYTES + 10)
        connection.data_received(unfinished(10))
        connection._check_progress()
        await client.wait_closed()
        assert client.close_code == RATE_LIMITED


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("is_aborted", [True, False])
async def test_h4_closed_connection_is_freed_without_the_garbage_collector(is_aborted: bool) -> None:
    application, state = OwnedApplication(), ServerState()
    async with serve(application, state) as url:
        client = await websockets.connect(url)
        client.transport.write(unfinished(1000))
        await client.ping()
        [connection] = state.connections
        freed = asyncio.Event()
        weakref.finalize(connection, freed.set)
        del connection
        if is_aborted:
            client.transport.abort()
        else:
            await client.close()
        async with asyncio.timeout(30):
            await freed.wait()


async def test_h4_memory_of_closed_connections_is_not_kept(server: Server) -> None:
    size, rounds = 60 * MIB, 6
    account = Account.create(server)
    frame = unfinished(size)
    with MemoryMonitor(server) as monitor:
        for _ in range(rounds):
            raw = await asyncio.to_thread(RawWebSocket, server.url(token=account.mint()))
            await asyncio.to_thread(raw.socket.sendall, frame)
            raw.close()
        async with account.client() as client:
            assert await client.request({"type": "ping"}) == {"type": "pong"}
    # The server may still read one while the next begins.
    assert monitor.growth < 3 * size
