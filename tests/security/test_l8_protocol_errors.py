"""L8 - frames and handshakes that break RFC 6455: a close frame with 1002 or 1007, or status 400."""

from __future__ import annotations

import asyncio
import base64

import pytest

from tests.support.accounts import Account
from tests.support.raw_websocket import CLOSE, CONTINUATION, PING, TEXT, RawWebSocket, client_frame
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

PROTOCOL_ERROR, INVALID_TEXT = 1002, 1007
BAD_FRAMES = {
    "invalid UTF-8": (client_frame(b"\xff\xfe"), INVALID_TEXT),
    "invalid UTF-8 in a fragment": (client_frame(b"a\xff", is_final=False), INVALID_TEXT),
    "cut UTF-8": (client_frame("é".encode()[:1]), INVALID_TEXT),
    "invalid UTF-8 in a close reason": (client_frame(b"\x03\xe8\xff", opcode=CLOSE), INVALID_TEXT),
    "unmasked": (client_frame(b"{}", is_masked=False), PROTOCOL_ERROR),
    "reserved bit": (client_frame(b"{}", rsv1=True), PROTOCOL_ERROR),
    "reserved opcode": (client_frame(b"x", opcode=3), PROTOCOL_ERROR),
    "ping of 126 bytes": (client_frame(b"x" * 126, opcode=PING), PROTOCOL_ERROR),
    "fragmented ping": (client_frame(b"x", opcode=PING, is_final=False), PROTOCOL_ERROR),
    "continuation of nothing": (client_frame(b"x", opcode=CONTINUATION), PROTOCOL_ERROR),
    "message in a message": (client_frame(b"x", is_final=False) + client_frame(b"x"), PROTOCOL_ERROR),
    "close 1005": (client_frame(b"\x03\xed", opcode=CLOSE), PROTOCOL_ERROR),
    "close of one byte": (client_frame(b"\x03", opcode=CLOSE), PROTOCOL_ERROR),
    "length in a longer form": (bytes([0x80 | TEXT, 0xFE, 0, 5]) + bytes(9), PROTOCOL_ERROR),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_l8_frame_that_breaks_the_protocol_is_closed_with_its_code(server: Server, name: str) -> None:
    frame, expected = BAD_FRAMES[name]
    raw = await asyncio.to_thread(RawWebSocket, server.url(token=Account.create(server).mint()))
    raw.socket.sendall(frame)
    assert await asyncio.to_thread(raw.close_code) == expected
    await asyncio.to_thread(raw.wait_for_end)
    raw.close()
    assert server.unexpected_tracebacks == []


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_l8_valid_close_frame_is_answered_with_its_code(server: Server, code: int) -> None:
    raw = await asyncio.to_thread(RawWebSocket, server.url(token=Account.create(server).mint()))
    raw.send(code.to_bytes(2, "big") + b"bye", opcode=CLOSE)
    assert await asyncio.to_thread(raw.close_code) == code
    await asyncio.to_thread(raw.wait_for_end)
    raw.close()


VALID_KEY = f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}"
BAD_KEYS = {
    "two": f"{VALID_KEY}\r\n{VALID_KEY}",
    "none": "X: y",
    "empty": "Sec-WebSocket-Key: ",
    "short": f"Sec-WebSocket-Key: {base64.b64encode(bytes(15)).decode()}",
    "long": f"Sec-WebSocket-Key: {base64.b64encode(bytes(17)).decode()}",
    "no base64": "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==",
}


@pytest.mark.parametrize("name", BAD_KEYS)
async def test_l8_handshake_without_one_valid_key_is_refused_with_400(server: Server, name: str) -> None:
    url = server.url(token=Account.create(server).mint())
    for headers, status in [(BAD_KEYS[name], 400), (VALID_KEY, 101)]:
        raw = await asyncio.to_thread(RawWebSocket, url, headers=headers)
        assert raw.handshake_response.startswith(f"HTTP/1.1 {status} ")
        raw.close()


@pytest.mark.parametrize("path", ["//ws/core/upload/", "///ws/core/upload/", "/ws//core/upload/", "//"])
async def test_l8_path_with_two_slashes_is_unknown(server: Server, path: str) -> None:
    async with WebSocketClient(server.url(path, token=Account.create(server).mint())) as client:
        assert await client.close_code() == 4404
