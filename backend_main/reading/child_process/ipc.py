"""Messages between a parent and its child process: length-prefixed msgpack over two pipes.

Parent to child: ReadRequest, PageImageRequest, CancelRequest.
Child to parent: Ready once; PageStarted, LinesRead, PageDone and ReadFinished for a ReadRequest;
PageImageReply for a PageImageRequest; Failed in place of Ready, ReadFinished or PageImageReply.
"""

import os
import struct

import msgspec

from .. import errors
from ..errors import ReadingError
from ..types import (
    LinesRead,
    Options,
    PageDone,
    PageStarted,
)

_LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 1 << 28
"""A hundred times a page of a million characters with its boxes."""
READ_BYTES = 1 << 16


class ReadRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: read a file."""

    path: str
    options: Options


class PageImageRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: render the page `options.first_page`, at most `width` pixels wide."""

    path: str
    width: int
    options: Options


class CancelRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: stop the current read. Without one, it has no effect."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the engine is loaded."""


class ReadFinished(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the read is complete."""


class PageImageReply(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the rendered page as a JPEG."""

    jpeg: bytes


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: a ReadingError. `kind` is the name of its class."""

    kind: str
    message: str


Request = ReadRequest | PageImageRequest | CancelRequest
Reply = Ready | PageStarted | LinesRead | PageDone | ReadFinished | PageImageReply | Failed

_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(Request)
_reply_decoder = msgspec.msgpack.Decoder(Reply)


def error_to_message(error: ReadingError) -> Failed:
    """Return the message that reports an error."""
    return Failed(kind=type(error).__name__, message=str(error))


def message_to_error(failed: Failed) -> ReadingError:
    """Return the reported error; a plain ReadingError if its class is unknown here."""
    kind = getattr(errors, failed.kind, ReadingError)
    if not (isinstance(kind, type) and issubclass(kind, ReadingError)):
        kind = ReadingError
    error = kind.__new__(kind)
    error.args = (failed.message,)
    return error


def send(fd: int, message: Request | Reply) -> None:
    """Write one frame; block until it is written. Raises OSError if the other process has exited."""
    body = _encoder.encode(message)
    frame = memoryview(_LENGTH.pack(len(body)) + body)
    while frame:
        frame = frame[os.write(fd, frame) :]


class FrameReader:
    """Reader of the frames of a pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = bytearray()

    def fill(self) -> bool:
        """Read once; block while the pipe is empty. Returns False at the end of the pipe."""
        data = os.read(self._fd, READ_BYTES)
        self._buffer += data
        return bool(data)

    def next_frame(self) -> bytes | None:
        """Return the body of the next frame; None while it is incomplete. Raises ValueError if too long."""
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
        """Return the next request; None if it is incomplete. Raises ValueError if it is invalid."""
        body = self.next_frame()
        return None if body is None else _request_decoder.decode(body)

    def next_reply(self) -> Reply | None:
        """Return the next reply; None if it is incomplete. Raises ValueError if it is invalid."""
        body = self.next_frame()
        return None if body is None else _reply_decoder.decode(body)
