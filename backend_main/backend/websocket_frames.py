"""Frames of the WebSocket protocol (RFC 6455, section 5), without I/O: a parser of a client's, an encoder.

wsproto parses all frames that have arrived before it reports one, keeps unfinished messages in reference
cycles, and does not report the frames of which a message consists (decision 132). This parser counts each
frame before it does anything for it, parses one message at a time, and needs half the time.
"""

from __future__ import annotations

import struct
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from io import StringIO
from typing import NamedTuple, assert_never

from wsproto.events import CloseConnection, Event, Message
from wsproto.frame_protocol import XorMaskerSimple

from backend_main.core.errors import RateLimited

# Close codes of RFC 6455, 7.4.1.
NORMAL_CLOSURE, PROTOCOL_ERROR, NO_STATUS, INVALID_TEXT, MESSAGE_TOO_BIG = 1000, 1002, 1005, 1007, 1009
MAX_CONTROL_BYTES = 125
# Codes that a peer may send (RFC 6455, 7.4, and the registry of IANA); 3000 to 4999 are for applications.
SENDABLE_CLOSE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
# The frames of a large message are not counted if the bytes of each cost more than the frame itself. Chromium
# sends 128 KiB in a frame, and the smallest default known, of OkHttp and Tyrus, is 8 KiB.
MIN_UNCOUNTED_FRAGMENT_BYTES = 4 * 1024
# CPython stores a string with a character beyond Latin-1 in 2 or 4 bytes for each character.
MAX_CHARACTER_BYTES = 4
MAX_FRAME_BYTES = 2**63 - 1  # RFC 6455, 5.2
TOO_MANY_FRAMES_MESSAGE = "Too many frames. Send fewer a second."
FINAL, RESERVED_BITS, MASKED = 0x80, 0x70, 0x80


class Opcode(IntEnum):
    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


_OPCODES = {int(opcode): opcode for opcode in Opcode}


class FrameError(Exception):
    """The connection must be closed with `code`. No later frame can be parsed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class TextMessage(NamedTuple):
    text: str


class BinaryMessage(NamedTuple):
    """A binary message. Its payload is dropped, because no request is binary."""


class Ping(NamedTuple):
    payload: bytes


class Close(NamedTuple):
    code: int
    reason: str


ClientEvent = TextMessage | BinaryMessage | Ping | Close


class FrameParser:
    """Parser of a client's frames into messages and control frames.

    Args:
        max_message_bytes: Size of the largest message.
        count_frame: Called for each frame but those that are a whole message or a large part of one. It
            returns whether the client may send the frame.
    """

    def __init__(self, max_message_bytes: int, count_frame: Callable[[], bool]) -> None:
        self._max_message_bytes = max_message_bytes
        self._count_frame = count_frame
        self._data, self._at = b"", 0
        self._opcode: Opcode | None = None  # of the frame whose head is parsed, and whose payload is not
        self._is_final = False
        self._missing_bytes = 0
        self._masker: XorMaskerSimple | None = None
        self._message_opcode: Opcode | None = None
        self._message_bytes = 0
        self._text = _TextBuffer()
        self._is_discarding = False
        self.message_count = 0
        """The number of finished messages."""
        self.received_bytes = 0
        """The number of bytes that were fed."""

    def feed(self, data: bytes) -> None:
        """Add bytes of the client. `next_event` must have returned None, or its caller does not read on."""
        self.received_bytes += len(data)
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def next_event(self) -> ClientEvent | None:
        """Return the next event; None if it has not arrived whole.

        Raises:
            FrameError: The frames break the protocol or a limit.
        """
        while self._opcode is not None or self._parse_head():
            event = self._parse_control() if self._is_control else self._parse_data()
            if event is not None:
                return event
            if self._opcode is not None:  # the payload has not arrived whole
                return None
        return None

    @property
    def is_unfinished(self) -> bool:
        """Whether a part of a frame or message has arrived."""
        return self._at < len(self._data) or self._opcode is not None or self._message_opcode is not None

    @property
    def held_bytes(self) -> int:
        """Memory of the unfinished message."""
        return self._text.held_bytes

    def discard_messages(self) -> None:
        """Free the unfinished message, and keep the text of no later one: the connection is closing."""
        self._is_discarding = True
        self._text = _TextBuffer()

    def clear(self) -> None:
        """Free all memory. Nothing may be fed afterwards."""
        self.discard_messages()
        self._data, self._at = b"", 0
        self._opcode = self._message_opcode = None

    # ── head ──

    def _parse_head(self) -> bool:
        """Parse the head of a frame, count and check the frame. Return whether the head has arrived whole."""
        data, at = self._data, self._at
        available = len(data) - at
        if available < 2:
            return False
        first, second = data[at], data[at + 1]
        opcode = _checked_opcode(first, second)
        size, size_bytes = second & 0x7F, 0
        if size > MAX_CONTROL_BYTES:
            size_bytes = 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2 : at + 2 + size_bytes], "big")
        head_bytes = 2 + size_bytes + 4
        if available < head_bytes:
            return False
        if size_bytes and size <= (MAX_CONTROL_BYTES if size_bytes == 2 else 0xFFFF):
            raise FrameError(PROTOCOL_ERROR, "The length of a frame is not in its shortest form.")
        if size > MAX_FRAME_BYTES:
            raise FrameError(PROTOCOL_ERROR, "The length of a frame is out of range.")
        self._begin_frame(opcode, size, is_final=bool(first & FINAL))
        self._masker = XorMaskerSimple(data[at + head_bytes - 4 : at + head_bytes])
        self._at = at + head_bytes
        return True

    def _begin_frame(self, opcode: Opcode, size: int, *, is_final: bool) -> None:
        is_control = opcode >= Opcode.CLOSE
        is_fragment = not is_control and (opcode is Opcode.CONTINUATION or not is_final)
        is_counted = is_control or (is_fragment and size < MIN_UNCOUNTED_FRAGMENT_BYTES)
        if is_counted and not self._count_frame():
            raise FrameError(RateLimited.close_code, TOO_MANY_FRAMES_MESSAGE)
        if not is_control:
            self._begin_data_frame(opcode, size)
        self._opcode, self._is_final, self._missing_bytes = opcode, is_final, size

    def _begin_data_frame(self, opcode: Opcode, size: int) -> None:
        is_continuation = opcode is Opcode.CONTINUATION
        if is_continuation and self._message_opcode is None:
            raise FrameError(PROTOCOL_ERROR, "A continuation frame continues no message.")
        if not is_continuation and self._message_opcode is not None:
            raise FrameError(PROTOCOL_ERROR, "A message begins inside another one.")
        if self._message_bytes + size > self._max_message_bytes:
            reason = f"Message exceeds the maximum size ({self._max_message_bytes} bytes)"
            raise FrameError(MESSAGE_TOO_BIG, reason)
        self._message_bytes += size
        if not is_continuation:
            self._message_opcode = opcode

    # ── payload ──

    @property
    def _is_control(self) -> bool:
        return self._opcode is not None and self._opcode >= Opcode.CLOSE

    def _take_payload(self) -> bytes:
        """Return what has arrived of the frame's payload, unmasked."""
        masked = self._data[self._at : self._at + self._missing_bytes]
        self._at += len(masked)
        self._missing_bytes -= len(masked)
        if not masked or self._masker is None:
            return b""
        return self._masker.process(masked)  # type: ignore[arg-type,return-value]  # it copies the bytes

    def _parse_control(self) -> Ping | Close | None:
        if len(self._data) - self._at < self._missing_bytes:
            return None
        opcode, payload = self._opcode, bytes(self._take_payload())
        self._opcode = None
        if opcode is Opcode.PING:
            return Ping(payload)
        return _parse_close(payload) if opcode is Opcode.CLOSE else None

    def _parse_data(self) -> TextMessage | BinaryMessage | None:
        payload = self._take_payload()
        is_complete = not self._missing_bytes
        if is_complete:
            self._opcode = None
        is_last = is_complete and self._is_final
        text = None
        if self._message_opcode is Opcode.TEXT and not self._is_discarding:
            text = self._text.append(payload, is_last=is_last)
        if not is_last:
            return None
        self._message_opcode, self._message_bytes = None, 0
        self.message_count += 1
        return BinaryMessage() if text is None else TextMessage(text)


class _TextBuffer:
    """Text of an unfinished message."""

    def __init__(self) -> None:
        self._decoder: IncrementalDecoder | None = None
        self._buffer: StringIO | None = None
        self._characters = 0
        self._is_ascii = True

    @property
    def held_bytes(self) -> int:
        return self._characters * (1 if self._is_ascii else MAX_CHARACTER_BYTES)

    def append(self, payload: bytes, *, is_last: bool) -> str | None:
        """Decode the payload. Return the whole text at the end of the message."""
        try:
            if self._decoder is None and is_last:  # most messages arrive whole
                return payload.decode()
            if self._decoder is None:
                self._decoder, self._buffer = getincrementaldecoder("utf-8")(), StringIO()
            assert self._buffer is not None
            # Base64 is ASCII. The incremental decoder copies all that it gets.
            if payload.isascii() and not self._decoder.getstate()[0]:
                text = payload.decode("ascii")
            else:
                text = self._decoder.decode(payload, is_last)
        except UnicodeDecodeError:
            raise FrameError(INVALID_TEXT, "A text message is not UTF-8.") from None
        self._buffer.write(text)
        self._characters += len(text)
        self._is_ascii = self._is_ascii and text.isascii()
        if not is_last:
            return None
        whole = self._buffer.getvalue()
        self.__init__()  # type: ignore[misc]
        return whole


def _checked_opcode(first: int, second: int) -> Opcode:
    if first & RESERVED_BITS:
        raise FrameError(PROTOCOL_ERROR, "A reserved bit is set; no extension was agreed on.")
    opcode = _OPCODES.get(first & 0x0F)
    if opcode is None:
        raise FrameError(PROTOCOL_ERROR, f"Opcode {first & 0x0F} is reserved.")
    if not second & MASKED:
        raise FrameError(PROTOCOL_ERROR, "A frame is not masked.")
    if opcode >= Opcode.CLOSE and not (first & FINAL and second & 0x7F <= MAX_CONTROL_BYTES):
        raise FrameError(PROTOCOL_ERROR, "A control frame is fragmented or too long.")
    return opcode


def _parse_close(payload: bytes) -> Close:
    if not payload:
        return Close(NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in SENDABLE_CLOSE_CODES:
        raise FrameError(PROTOCOL_ERROR, "The code of a close frame is not valid.")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise FrameError(INVALID_TEXT, "The reason of a close frame is not UTF-8.") from None


# ── frames to the client ──


class FrameEncoder:
    """Encoder with the method of a wsproto connection that uvicorn calls after the handshake."""

    def send(self, event: Event) -> bytes:
        if isinstance(event, CloseConnection):
            return encode_close_frame(event.code, event.reason or "")
        if isinstance(event, Message):
            if isinstance(event.data, str):
                return encode_text_frame(event.data)
            return _encode_frame(Opcode.BINARY, bytes(event.data))
        assert_never(event)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def encode_text_frame(text: str) -> bytes:
    """Encode a text as one unmasked frame (RFC 6455, 5.2). The last frame is cached for the next socket."""
    return _encode_frame(Opcode.TEXT, text.encode())


def encode_pong_frame(payload: bytes) -> bytes:
    return _encode_frame(Opcode.PONG, payload)


def encode_close_frame(code: int, reason: str) -> bytes:
    """Encode a close frame; without a code if there is none (1005). The reason is cut to fit."""
    if code == NO_STATUS:
        return _encode_frame(Opcode.CLOSE, b"")
    cut = reason.encode()[: MAX_CONTROL_BYTES - 2].decode(errors="ignore")
    return _encode_frame(Opcode.CLOSE, struct.pack("!H", code) + cut.encode())


def _encode_frame(opcode: Opcode, payload: bytes) -> bytes:
    size = len(payload)
    if size <= MAX_CONTROL_BYTES:
        head = bytes((FINAL | opcode, size))
    elif size < 2**16:
        head = struct.pack("!BBH", FINAL | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", FINAL | opcode, 127, size)
    return head + payload
