"""The proxy of the other tests here: it does to a connection what it is told, and nothing else."""

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
    """Before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
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
    async def of(cls, proxy: Proxy) -> Peer:
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """What comes before the end, or before a reset."""
        got = bytearray()
        try:
            while piece := await self.reader.read(65536):
                got += piece
        except ConnectionResetError:
            got += b"<reset>"
        self.writer.close()
        return bytes(got)


async def test_all_passes_unchanged_and_the_end_too(proxy: Proxy) -> None:
    peer = await Peer.of(proxy)
    sending = asyncio.create_task(peer.send(TEXT))
    assert await peer.reader.readexactly(len(TEXT)) == TEXT
    await sending
    peer.writer.write_eof()
    assert await peer.rest() == b""
    assert (proxy.to_server.passed_bytes, proxy.to_client.passed_bytes) == (len(TEXT), len(TEXT))


async def test_a_cut_breaks_every_connection_and_the_next_one_passes(proxy: Proxy) -> None:
    peers = [await Peer.of(proxy) for _ in range(2)]
    for peer in peers:
        await peer.send(b"a")
        await peer.reader.readexactly(1)
    proxy.cut()
    assert [await peer.rest() for peer in peers] == [b"<reset>", b"<reset>"]
    later = await Peer.of(proxy)
    await later.send(b"b")
    assert await later.reader.readexactly(1) == b"b"
    assert proxy.accepted == 3
    later.writer.close()


@pytest.mark.parametrize("count", [1, 65_536, 100_001])
async def test_a_cut_at_a_byte_lets_exactly_those_before_it_through_and_comes_once(
    proxy: Proxy, count: int
) -> None:
    proxy.to_client.cut_after(count)
    peer = await Peer.of(proxy)
    peer.writer.write(TEXT)
    assert (await peer.rest()).removesuffix(b"<reset>") == TEXT[:count]
    later = await Peer.of(proxy)
    sending = asyncio.create_task(later.send(TEXT))
    assert await later.reader.readexactly(len(TEXT)) == TEXT
    await sending
    later.writer.close()


async def test_a_cut_at_a_byte_that_has_passed_is_a_cut_now(proxy: Proxy) -> None:
    peer = await Peer.of(proxy)
    await peer.send(b"abc")
    await peer.reader.readexactly(3)
    proxy.to_server.cut_after(2)
    assert await peer.rest() == b""


async def test_a_black_hole_keeps_what_it_swallows_until_it_is_healed(proxy: Proxy) -> None:
    proxy.to_client.blackhole(after=4)
    peer = await Peer.of(proxy)
    await peer.send(b"abcdef")
    assert await peer.reader.readexactly(4) == b"abcd"
    await proxy.to_server.passed(6)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await peer.reader.read(1)
    proxy.heal()
    assert await peer.reader.readexactly(2) == b"ef"
    peer.writer.close()


async def test_a_black_hole_for_one_direction_leaves_the_other_alone(proxy: Proxy) -> None:
    peer = await Peer.of(proxy)
    await peer.send(b"a")
    await peer.reader.readexactly(1)
    proxy.to_client.blackhole()
    await peer.send(b"b")
    await proxy.to_server.passed(2)
    assert proxy.to_client.passed_bytes == 1
    peer.writer.close()


async def test_a_throttled_direction_passes_all_little_by_little(proxy: Proxy) -> None:
    proxy.to_client.throttle(1_000)
    peer = await Peer.of(proxy)
    await peer.send(b"a" * 100)
    assert len(await peer.reader.read(100)) <= 20
    proxy.heal()
    peer.writer.write_eof()
    assert len(await peer.rest()) >= 80


async def test_what_is_delayed_comes_whole_and_in_order(proxy: Proxy) -> None:
    loop = asyncio.get_running_loop()
    proxy.to_server.delay(0.05)
    peer = await Peer.of(proxy)
    began = loop.time()
    for letter in b"abc":
        await peer.send(bytes([letter]))
    assert await peer.reader.readexactly(3) == b"abc"
    assert loop.time() - began >= 0.05
    peer.writer.close()


async def test_who_is_refused_gets_nothing_and_who_is_admitted_passes(proxy: Proxy) -> None:
    proxy.refuse()
    refused = await Peer.of(proxy)
    assert (await refused.rest()).removesuffix(b"<reset>") == b""
    assert proxy.accepted == 0
    proxy.accept()
    peer = await Peer.of(proxy)
    await proxy.wait_for_connections(1)
    await peer.send(b"a")
    assert await peer.reader.readexactly(1) == b"a"
    peer.writer.close()


async def test_before_a_server_that_is_away_the_proxy_is_away_too() -> None:
    async with asyncio.timeout(WAIT_SECONDS), Proxy(1) as proxy:
        peer = await Peer.of(proxy)
        assert (await peer.rest()).removesuffix(b"<reset>") == b""
