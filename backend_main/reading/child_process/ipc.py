"""Step 10 - what a host and its child say to each other: length-prefixed msgpack over two pipes."""

import os
import struct

import msgspec

from .. import errors
from ..errors import ReadingError
from ..types import (
    Line,
    Options,
    PageDone,
    PageStarted,
)

_LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 1 << 28  # a page of a million characters with its boxes is a hundredth of it
READ_BYTES = 1 << 16


class ReadRequest(msgspec.Struct, frozen=True, tag=True):
    path: str
    options: Options


class PageImageRequest(msgspec.Struct, frozen=True, tag=True):
    """Draw the page `options.first_page`, at most `width` pixels wide."""

    path: str
    width: int
    options: Options


class CancelRequest(msgspec.Struct, frozen=True, tag=True):
    """Stop the read that is running; without one it means nothing."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The engine is loaded."""


class Lines(msgspec.Struct, frozen=True, tag=True):
    """Of one page, what was recognised since the last."""

    lines: tuple[Line, ...]


class ReadFinished(msgspec.Struct, frozen=True, tag=True):
    """The file is read to its end."""


class PageImageReply(msgspec.Struct, frozen=True, tag=True):
    """The page as a JPEG."""

    jpeg: bytes


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Reading ended with an error; `kind` is its class, `message` its sentence."""

    kind: str
    message: str


Request = ReadRequest | PageImageRequest | CancelRequest
Reply = Ready | PageStarted | Lines | PageDone | ReadFinished | PageImageReply | Failed

_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Request)
_replies = msgspec.msgpack.Decoder(Reply)


def error_to_message(error: ReadingError) -> Failed:
    return Failed(kind=type(error).__name__, message=str(error))


def message_to_error(failed: Failed) -> ReadingError:
    """The error a child reported. A kind this side does not know is the plain ReadingError."""
    kind = getattr(errors, failed.kind, ReadingError)
    if not (isinstance(kind, type) and issubclass(kind, ReadingError)):
        kind = ReadingError
    error = kind.__new__(kind)
    error.args = (failed.message,)
    return error


def send(fd: int, message: Request | Reply) -> None:
    """Write one whole frame, blocking. Raises OSError when the other side is gone."""
    body = _encoder.encode(message)
    frame = memoryview(_LENGTH.pack(len(body)) + body)
    while frame:
        frame = frame[os.write(fd, frame) :]


class FrameReader:
    """Collects bytes from a pipe and gives them back as whole frames."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = bytearray()

    def fill(self) -> bool:
        """Read once, blocking while nothing is there; False at the pipe's end."""
        data = os.read(self._fd, READ_BYTES)
        self._buffer += data
        return bool(data)

    def next(self) -> bytes | None:
        """The next whole frame's body, or None until more is read. Raises ValueError on an absurd length."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_FRAME_BYTES:
            raise ValueError(f"a frame of {length} bytes")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body

    def next_request(self) -> Request | None:
        body = self.next()
        return None if body is None else _requests.decode(body)

    def next_reply(self) -> Reply | None:
        body = self.next()
        return None if body is None else _replies.decode(body)
