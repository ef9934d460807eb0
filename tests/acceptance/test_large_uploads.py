"""Large frames, slow frames, and their limits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from tests.acceptance.conftest import MAX_UPLOAD_BYTES
from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages, upload_ids
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import Message


def noise_bmp(width: int, height: int) -> bytes:
    """Return a BMP with three bytes per pixel; `width` is a multiple of four."""
    size = 54 + 3 * width * height
    file_header = struct.pack("<2sIHHI", b"BM", size, 0, 0, 54)
    image_header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return file_header + image_header + os.urandom(3 * width * height)


async def test_create_of_100_mb_is_stored_and_read(alice: Account) -> None:
    image = noise_bmp(5_000, 6_700)
    assert len(image) > 100_000_000
    async with alice.client() as client, alice.client() as observer:
        reply = await client.create(image)
        assert reply["instance"]["bytes"] == len(image)
        assert reply["instance"]["image_hash"] == hashlib.sha256(image).hexdigest()
        for each in (client, observer):
            assert (await each.terminal_message(reply["instance"]["id"]))["status"] == "processed"
        await client.request({"type": "delete", "instance_id": reply["instance"]["id"]})


async def test_create_in_fragments_is_accepted(alice: Account) -> None:
    image = noise_bmp(100, 100)
    text = json.dumps({"type": "create", "data": {"image_base64": base64.b64encode(image).decode()}})
    async with alice.client() as client:
        await client.socket.send(text[start : start + 999] for start in range(0, len(text), 999))
        reply = await client.receive()
        assert reply["instance"]["image_hash"] == hashlib.sha256(image).hexdigest()


async def test_frame_over_the_limit_closes_with_1009(strict_server: Server) -> None:
    account = Account.create(strict_server)
    async with account.client() as client, account.client() as other:
        await client.send_text(" " * (MAX_UPLOAD_BYTES * 4 // 3 + 64 * 1024 + 1))
        assert await client.close_code() == 1009
        await assert_no_more_messages(other)


async def test_create_over_the_upload_limit_is_an_error_on_its_field(
    strict_server: Server,
) -> None:
    account = Account.create(strict_server)
    async with account.client() as client:
        reply = await client.create(b"\x89PNG\r\n\x1a\n".ljust(MAX_UPLOAD_BYTES + 1))
        assert reply.keys() == {"type", "error"}
        assert reply["error"].keys() == {"image_base64"}
        assert str(MAX_UPLOAD_BYTES) in reply["error"]["image_base64"]
        assert await upload_ids(client) == []


async def test_create_of_exactly_the_upload_limit_is_accepted(strict_server: Server) -> None:
    account = Account.create(strict_server)
    image = scripted_png()
    async with account.client() as client:
        reply = await client.create(image.ljust(MAX_UPLOAD_BYTES, b"\0"))
        assert reply["instance"]["bytes"] == MAX_UPLOAD_BYTES
        assert (await client.terminal_message(reply["instance"]["id"]))["status"] == "processed"


class SlowWebSocket:
    """A WebSocket that writes frames in chunks. It answers no pings: inside a frame that is impossible."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = ClientProtocol(parse_uri(url))
        self._frames: list[Frame] = []

    async def open(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        self.write(b"".join(self._protocol.data_to_send()))
        while not self._protocol.events_received():
            self._protocol.receive_data(await self._reader.read(65_536))
        assert self._protocol.handshake_exc is None

    def write(self, chunk: bytes) -> None:
        self._writer.write(chunk)

    async def receive(self) -> Message:
        """Return the next message; a close frame is an error."""
        async with asyncio.timeout(60):
            while True:
                for frame in self._frames:
                    assert frame.opcode is not Opcode.CLOSE, f"closed: {frame}"
                    if frame.opcode is Opcode.TEXT:
                        self._frames = self._frames[self._frames.index(frame) + 1 :]
                        message: Message = json.loads(bytes(frame.data))
                        return message
                data = await self._reader.read(65_536)
                assert data, "the connection was closed"
                self._protocol.receive_data(data)
                self._frames = [e for e in self._protocol.events_received() if isinstance(e, Frame)]


@asynccontextmanager
async def slow_websocket(account: Account) -> AsyncIterator[SlowWebSocket]:
    reader, writer = await asyncio.open_connection("127.0.0.1", account.server.port)
    socket = SlowWebSocket(reader, writer, account.server.url(token=account.mint()))
    await socket.open()
    yield socket
    writer.close()
    await writer.wait_closed()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_frame_of_8_mb_over_60_seconds_is_accepted(alice: Account) -> None:
    image = noise_bmp(1_000, 2_000)
    text = json.dumps({"type": "create", "data": {"image_base64": base64.b64encode(image).decode()}}).encode()
    assert len(text) >= 8_000_000
    # One final text frame; a mask of zeros leaves the payload as it is.
    frame = struct.pack(">BBQ4s", 0x81, 0x80 | 127, len(text), bytes(4)) + text
    chunk_bytes = -(-len(frame) // 60)
    async with slow_websocket(alice) as slow, alice.client() as observer:
        for start in range(0, len(frame), chunk_bytes):
            slow.write(frame[start : start + chunk_bytes])
            if start == 30 * chunk_bytes:
                # The server serves others meanwhile and sends this socket their event.
                key = (await observer.create(scripted_png()))["instance"]["id"]
                await observer.terminal_message(key)
            await asyncio.sleep(1)

        messages = [await slow.receive()]
        while "duplicate" not in messages[-1]:
            messages.append(await slow.receive())
        assert messages[0]["instance"]["id"] == key
        assert messages[-1]["instance"]["image_hash"] == hashlib.sha256(image).hexdigest()
        assert (await observer.terminal_message(messages[-1]["instance"]["id"]))["status"] == "processed"
