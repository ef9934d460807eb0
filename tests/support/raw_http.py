"""A byte-level HTTP client, for input that client libraries do not allow."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass

from tests.support.server import Server

TIMEOUT_SECONDS = 30.0
HOST = b"Host: 127.0.0.1\r\n"


@dataclass
class RawResponse:
    """All that a server sent on a connection until it closed it."""

    data: bytes

    @property
    def status(self) -> int | None:
        """The status code; None if the server closed the connection without a response."""
        return int(self.data.split(b" ", 2)[1]) if self.data else None

    @property
    def text(self) -> str:
        return self.data.partition(b"\r\n\r\n")[2].decode()

    @property
    def sentence(self) -> str:
        """The sentence of an error."""
        return str(json.loads(self.text)["detail"])


class RawHttp:
    """A connection to a server, from an address of the loopback network."""

    def __init__(self, server: Server, *, source: str = "127.0.0.1") -> None:
        address = ("127.0.0.1", server.port)
        self.socket = socket.create_connection(address, TIMEOUT_SECONDS, source_address=(source, 0))

    def send(self, data: bytes) -> RawHttp:
        with suppress(ConnectionError):  # the server has responded and closed it
            self.socket.sendall(data)
        return self

    def response(self) -> RawResponse:
        """Read until the server closes the connection."""
        data = bytearray()
        with self.socket, suppress(ConnectionResetError):
            while chunk := self.socket.recv(65536):
                data += chunk
        return RawResponse(bytes(data))

    def close(self) -> None:
        self.socket.close()


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """Return the bytes of a request after which the server closes the connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def fetch(server: Server, path: str = "/healthz", *headers: str, source: str = "127.0.0.1") -> RawResponse:
    """Send a GET on a new connection and return the response."""
    return RawHttp(server, source=source).send(request("GET", path, *headers)).response()
