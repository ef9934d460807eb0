"""Messages between a parent and its child process: length-prefixed msgpack.

Requests go through a socket, because the open file goes with them; replies come through a pipe.

Parent to child: ReadRequest, PageImageRequest, OriginalPartsRequest, CancelRequest.
Child to parent: Ready once; PageStarted, LinesRead, PageDone and ReadFinished for a ReadRequest;
PageImageReply for a PageImageRequest; OriginalPart and ReadFinished for an OriginalPartsRequest; Failed in
place of Ready, ReadFinished or PageImageReply.
"""

import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from ...sandbox.measures import MeasureReport
from .. import errors
from ..documents.page_jpeg import WHOLE_PAGE, Area
from ..errors import ReadingError
from ..types import (
    LinesRead,
    Options,
    PageDone,
    PageStarted,
)

_LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 1 << 26
"""Twenty-five times a page of a million characters with its boxes."""
MAX_PART_BYTES = 1 << 30
"""Bytes of all parts of a file: a PDF that is written again, or the pixels of a page."""
MAX_ERROR_CHARACTERS = 2000
READ_BYTES = 1 << 16


class ReadRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: read the file whose descriptor comes with the request."""

    options: Options


class PageImageRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: render an area of the page `options.first_page`, at most `width` pixels wide.

    The descriptor of the file comes with the request.
    """

    width: int
    options: Options
    area: Area = WHOLE_PAGE


class OriginalPartsRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: send the parts of a file for a searchable PDF. The descriptor comes with the request.

    `options.pages` selects pages of a PDF, `options.first_page` is the page of an image file.
    """

    options: Options


class CancelRequest(msgspec.Struct, frozen=True, tag=True):
    """Parent to child: stop the current read. Without one, it has no effect."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the engine is loaded, and the process is confined by these measures."""

    measures: tuple[MeasureReport, ...] = ()


class ReadFinished(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the read is complete."""


class PageImageReply(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: the rendered page as a JPEG."""

    jpeg: bytes


class OriginalPart(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: a message of `searchable_pdf.original_parts`."""

    message: bytes


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Child to parent: a ReadingError. `kind` is the name of its class."""

    kind: str
    message: str


FileRequest = ReadRequest | PageImageRequest | OriginalPartsRequest
"""A request about a file, whose descriptor comes with it."""
Request = FileRequest | CancelRequest
Reply = Ready | PageStarted | LinesRead | PageDone | ReadFinished | PageImageReply | OriginalPart | Failed

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
    error.args = (failed.message[:MAX_ERROR_CHARACTERS],)
    return error


def part_messages(receive: Callable[[], Reply], on_part: Callable[[], None]) -> Iterator[bytes]:
    """Yield the messages about an original file. Raises ReadingError; ValueError on any other reply."""
    left = MAX_PART_BYTES
    while not isinstance(reply := receive(), ReadFinished):
        if isinstance(reply, Failed):
            raise message_to_error(reply)
        if not isinstance(reply, OriginalPart) or (left := left - len(reply.message)) < 0:
            raise ValueError("not a part of a file, or too many of them")
        on_part()
        yield reply.message


def send(fd: int, message: Reply) -> None:
    """Write one frame; block until it is written. Raises OSError if the other process has exited."""
    body = _encoder.encode(message)
    frame = memoryview(_LENGTH.pack(len(body)) + body)
    while frame:
        frame = frame[os.write(fd, frame) :]


def send_with_file(connection: socket.socket, message: Request, file_fd: int | None) -> None:
    """Write one frame, and a descriptor of a file with it. Raises OSError if the other process has exited."""
    body = _encoder.encode(message)
    frame = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(connection, [frame], [file_fd]) if file_fd is not None else 0
    connection.sendall(frame[sent:])


class FrameReader:
    """Reader of the frames of a pipe, or of a socket with descriptors of files."""

    def __init__(self, source: int | socket.socket) -> None:
        self._source = source
        self._buffer = bytearray()
        self._files: deque[int] = deque()
        self.received_bytes = 0

    def fill(self) -> bool:
        """Read once; block while there is nothing. Returns False at the end of the pipe."""
        if isinstance(self._source, int):
            data = os.read(self._source, READ_BYTES)
        else:
            data, files, _, _ = socket.recv_fds(self._source, READ_BYTES, 1)
            self._files += files
        self._buffer += data
        self.received_bytes += len(data)
        return bool(data)

    def next_file(self) -> int:
        """Return the descriptor that came with the oldest request that has one. The caller closes it."""
        return self._files.popleft()

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
