"""The fault proxy: each rule has its effect and no other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from tests.chaos.proxy import Proxy

WAIT_SECONDS = 20.0
TEXT = os.urandom(300_000)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy in front of an echo server."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async with (
        asyncio.timeout(WAIT_SECONDS),
        await asyncio.start_server(echo, "127.0.0.1", 0) as server,
        Proxy(server.sockets[0].getsockname()[1]) as proxy,
    ):
        yield proxy


class Peer:
    """A client of the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, proxy: Proxy) -> Peer:
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive_rest(self) -> bytes:
        """Return what arrives before the end or a reset."""
        received = bytearray()
        try:
            while chunk := await self.reader.read(65536):
                received += chunk
        except ConnectionResetError:
            received += b"<reset>"
        self.writer.close()
        return bytes(received)


async def test_proxy_without_rules_passes_bytes_and_end_unchanged(proxy: Proxy) -> None:
    peer = await Peer.connect(proxy)
    send_task = asyncio.create_task(peer.send(TEXT))
    assert await peer.reader.readexactly(len(TEXT)) == TEXT
    await send_task
    peer.writer.write_eof()
    assert await peer.receive_rest() == b""
    assert (proxy.to_server.passed_bytes, proxy.to_client.passed_bytes) == (len(TEXT), len(TEXT))


async def test_cut_resets_open_connections_and_accepts_new_ones(proxy: Proxy) -> None:
    peers = [await Peer.connect(proxy) for _ in range(2)]
    for peer in peers:
        await peer.send(b"a")
        await peer.reader.readexactly(1)
    proxy.cut()
    assert [await peer.receive_rest() for peer in peers] == [b"<reset>", b"<reset>"]
    later = await Peer.connect(proxy)
    await later.send(b"b")
    assert await later.reader.readexactly(1) == b"b"
    assert proxy.accepted == 3
    later.writer.close()


@pytest.mark.parametrize("count", [1, 65_536, 100_001])
async def test_cut_after_passes_exactly_that_many_bytes_and_applies_once(proxy: Proxy, count: int) -> None:
    proxy.to_client.cut_after(count)
    peer = await Peer.connect(proxy)
    peer.writer.write(TEXT)
    assert (await peer.receive_rest()).removesuffix(b"<reset>") == TEXT[:count]
    later = await Peer.connect(proxy)
    send_task = asyncio.create_task(later.send(TEXT))
    assert await later.reader.readexactly(len(TEXT)) == TEXT
    await send_task
    later.writer.close()


async def test_cut_after_fewer_bytes_than_passed_cuts_at_once(proxy: Proxy) -> None:
    peer = await Peer.connect(proxy)
    await peer.send(b"abc")
    await peer.reader.readexactly(3)
    proxy.to_server.cut_after(2)
    assert await peer.receive_rest() == b""


async def test_blackhole_keeps_bytes_until_heal(proxy: Proxy) -> None:
    proxy.to_client.blackhole(after=4)
    peer = await Peer.connect(proxy)
    await peer.send(b"abcdef")
    assert await peer.reader.readexactly(4) == b"abcd"
    await proxy.to_server.passed(6)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await peer.reader.read(1)
    proxy.heal()
    assert await peer.reader.readexactly(2) == b"ef"
    peer.writer.close()


async def test_blackhole_in_one_direction_leaves_the_other_open(proxy: Proxy) -> None:
    peer = await Peer.connect(proxy)
    await peer.send(b"a")
    await peer.reader.readexactly(1)
    proxy.to_client.blackhole()
    await peer.send(b"b")
    await proxy.to_server.passed(2)
    assert proxy.to_client.passed_bytes == 1
    peer.writer.close()


async def test_throttle_passes_all_bytes_slowly(proxy: Proxy) -> None:
    proxy.to_client.throttle(1_000)
    peer = await Peer.connect(proxy)
    await peer.send(b"a" * 100)
    assert len(await peer.reader.read(100)) <= 20
    proxy.heal()
    peer.writer.write_eof()
    assert len(await peer.receive_rest()) >= 80


async def test_delay_keeps_bytes_complete_and_in_order(proxy: Proxy) -> None:
    loop = asyncio.get_running_loop()
    proxy.to_server.delay(0.05)
    peer = await Peer.connect(proxy)
    started_at = loop.time()
    for letter in b"abc":
        await peer.send(bytes([letter]))
    assert await peer.reader.readexactly(3) == b"abc"
    assert loop.time() - started_at >= 0.05
    peer.writer.close()


async def test_refuse_resets_new_connections_until_accept(proxy: Proxy) -> None:
    proxy.refuse()
    rejected = await Peer.connect(proxy)
    assert (await rejected.receive_rest()).removesuffix(b"<reset>") == b""
    assert proxy.accepted == 0
    proxy.accept()
    peer = await Peer.connect(proxy)
    await proxy.wait_for_connections(1)
    await peer.send(b"a")
    assert await peer.reader.readexactly(1) == b"a"
    peer.writer.close()


async def test_proxy_without_server_resets_connections() -> None:
    async with asyncio.timeout(WAIT_SECONDS), Proxy(1) as proxy:
        peer = await Peer.connect(proxy)
        assert (await peer.receive_rest()).removesuffix(b"<reset>") == b""
