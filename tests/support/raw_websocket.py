"""A byte-level WebSocket client, for input that client libraries do not allow."""

from __future__ import annotations

import base64
import os
import socket
import struct
import zlib
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0
CONTINUATION, TEXT, CLOSE, PING, PONG = 0x0, 0x1, 0x8, 0x9, 0xA
_FIN, _RSV1, _MASKED = 0x80, 0x40, 0x80
SMALL_BUFFER_BYTES = 4096


class RawWebSocket:
    """A connection after its handshake. It reads only on request and has a small receive buffer."""

    def __init__(self, url: str, *, extension: str | None = None, headers: str = "") -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.socket.connect((parts.hostname, parts.port))
        key = base64.b64encode(os.urandom(16)).decode()
        extension_header = f"Sec-WebSocket-Extensions: {extension}\r\n" if extension else ""
        self.socket.sendall(
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"{headers or f'Sec-WebSocket-Key: {key}'}\r\n{extension_header}\r\n".encode()
        )
        self.handshake_response = self._receive_handshake_response()

    def send(self, payload: bytes, *, opcode: int = TEXT, is_final: bool = True, rsv1: bool = False) -> None:
        """Send one frame."""
        self.socket.sendall(client_frame(payload, opcode=opcode, is_final=is_final, rsv1=rsv1))

    def close_code(self) -> int | None:
        """Read to the end; return the close code, or None if the connection ended without a close frame."""
        while (frame := self._receive_frame()) is not None:
            opcode, payload = frame
            if opcode == CLOSE:
                code: int = struct.unpack(">H", payload[:2])[0]
                return code
        return None

    def wait_for_end(self) -> None:
        """Read and drop everything until the server ends the connection."""
        while self._receive_exactly(1) is not None:
            pass

    def close(self) -> None:
        self.socket.close()

    def _receive_frame(self) -> tuple[int, bytes] | None:
        head = self._receive_exactly(2)
        if head is None:
            return None
        size = head[1] & 0x7F
        if size >= 126:
            width = 2 if size == 126 else 8
            extended = self._receive_exactly(width)
            if extended is None:
                return None
            size = int.from_bytes(extended, "big")
        payload = self._receive_exactly(size)
        return None if payload is None else (head[0] & 0x0F, payload)

    def _receive_exactly(self, size: int) -> bytes | None:
        received = bytearray()
        while len(received) < size:
            try:
                chunk = self.socket.recv(min(65536, size - len(received)))
            except (ConnectionResetError, BrokenPipeError):
                return None
            if not chunk:
                return None
            received += chunk
        return bytes(received)

    def _receive_handshake_response(self) -> str:
        received = b""
        while not received.endswith(b"\r\n\r\n"):
            chunk = self.socket.recv(1)
            assert chunk, f"the server closed the connection in the handshake: {received!r}"
            received += chunk
        return received.decode()


def client_frame(
    payload: bytes, *, opcode: int = TEXT, is_final: bool = True, rsv1: bool = False, is_masked: bool = True
) -> bytes:
    """Return a frame, masked by zeros."""
    first = (_FIN if is_final else 0) | (_RSV1 if rsv1 else 0) | opcode
    size, mask = len(payload), _MASKED if is_masked else 0
    if size < 126:
        head = bytes([first, mask | size])
    elif size < 2**16:
        head = bytes([first, mask | 126]) + struct.pack(">H", size)
    else:
        head = bytes([first, mask | 127]) + struct.pack(">Q", size)
    return head + (bytes(4) if is_masked else b"") + payload


def frame_ends(received: bytes) -> list[int]:
    """Return the byte offsets at which the handshake and each frame of a server ended."""
    ends = [received.index(b"\r\n\r\n") + 4]
    while ends[-1] + 2 <= len(received):
        at = ends[-1]
        size, head = received[at + 1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, head = int.from_bytes(received[at + 2 : at + 2 + width], "big"), 2 + width
        ends.append(at + head + size)
    return ends


def deflate(text: bytes) -> bytes:
    """Compress a message as permessage-deflate does: RFC 7692, 7.2.1."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
