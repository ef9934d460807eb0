"""HTTP server of a test that keeps the requests it receives, for webhooks and fetched URLs."""

from __future__ import annotations

import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, NamedTuple, Self


class ReceivedRequest(NamedTuple):
    """A request; the names of its headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class HTTPReceiver:
    """Receiver on a free port of the loopback interface.

    Attributes:
        status: Status of the next responses.
        headers: Headers of the next responses.
        body: Body of the next responses.
        received: All requests so far.
        requests: The requests that no test has taken yet.
    """

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.body = b""
        self.received: list[ReceivedRequest] = []
        self.requests: Queue[ReceivedRequest] = Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def new_url(self) -> str:
        """Return a URL of its own path, so that a test can tell its requests from late ones of others."""
        return f"{self.url}{uuid.uuid4().hex}"

    def next_request(self, url: str) -> ReceivedRequest:
        """Wait for a request to a URL and return it; those to others are dropped."""
        while True:
            request = self.requests.get(timeout=60)
            if self.url + request.path.removeprefix("/") == url:
                return request

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._answer()

            def do_GET(self) -> None:
                self._answer()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = ReceivedRequest(self.path, headers, body)
                receiver.received.append(request)
                self.send_response(receiver.status)
                for name, value in {"Content-Length": str(len(receiver.body)), **receiver.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.body)
                receiver.requests.put(request)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
