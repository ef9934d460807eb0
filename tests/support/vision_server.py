"""OpenAI-compatible endpoint over HTTP for tests: the default engine reads the images that it receives.

A test scripts the reply to each request: complete, in the format of a model family, refused, stalled,
looping, cut off or broken.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backend_main.reading import Options, PageDone, read


@dataclass(frozen=True)
class Reply:
    """Script of the reply to one request. Numbers count the tokens before the fault."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    text: str | None = None
    """Text instead of that which the default engine reads on the image."""
    transform: Callable[[str], str] = str
    """Conversion of the text to the format of a model."""
    stall_after: int | None = None
    keep_alive: bool = False
    """Send comments and empty deltas during the stall, as proxies and some servers do."""
    gate: tuple[int, threading.Event] | None = None
    loop_after: int | None = None
    length_after: int | None = None
    break_after: int | None = None
    end_after: int | None = None
    """End the response without a finish reason."""
    error_after: int | None = None
    streams: bool = True


class VisionServer:
    """Server with scripted `replies`, used one by one, then complete ones. `requests` are those received."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.closing = threading.Event()
        server = self

        class Handler(_Handler):
            vision = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign] # clients close connections in tests
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    vision: VisionServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.vision.requests.append(body)
        self.vision.keys.append(self.headers["Authorization"])
        reply = self.vision.replies.pop(0) if self.vision.replies else Reply()
        if self.path != "/v1/chat/completions":
            reply = Reply(status=404)
        try:
            self._reply(body, reply)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _reply(self, body: dict[str, Any], reply: Reply) -> None:
        if reply.status != 200:
            self._send_response(reply.status, reply.body or '{"error": {"message": "no"}}', reply.headers)
            return
        text = recognize_png(image_of(body)) if reply.text is None else reply.text
        text = reply.transform(text)
        if not reply.streams:
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            self._send_response(200, json.dumps({"choices": [choice]}), {})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._stream(text, reply)

    def _send_response(self, status: int, body: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def _stream(self, text: str, reply: Reply) -> None:
        self._send_event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]})
        tokens = tokens_of(text)
        for number, token in enumerate(tokens):
            if reply.gate is not None and number == reply.gate[0]:
                reply.gate[1].wait(30)
            if number == reply.stall_after:
                self._stall(reply)
            if number == reply.break_after:
                self.close_connection = True
                self.connection.close()
                return
            if number == reply.end_after:
                self._send_chunk(b"")
                return
            if number == reply.error_after:
                self._send_event({"error": {"message": "out of memory", "code": 500}})
                return
            if number == reply.length_after:
                self._send_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
                break
            if number == reply.loop_after:
                self._loop(tokens[max(0, number - 6) : number])
            self._send_event({"choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}]})
        else:
            self._send_event({"choices": [{"index": 0, "delta": {"content": None}, "finish_reason": "stop"}]})
        self._send_event({"choices": [], "usage": {"completion_tokens": len(tokens)}})
        self._send_chunk(b"data: [DONE]\n\n")
        self._send_chunk(b"")

    def _stall(self, reply: Reply) -> None:
        while not self.vision.closing.wait(0.02 if reply.keep_alive else 0.2):
            if reply.keep_alive:
                self._send_chunk(b": keep-alive\n\n")
                self._send_event({"choices": [{"index": 0, "delta": {"content": ""}}]})
        raise BrokenPipeError

    def _loop(self, tokens: list[str]) -> None:
        """Repeat the tokens until the client closes the connection."""
        while not self.vision.closing.is_set():
            for token in tokens:
                self._send_event({"choices": [{"index": 0, "delta": {"content": token}}]})
        raise BrokenPipeError

    def _send_event(self, value: dict[str, Any]) -> None:
        self._send_chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def tokens_of(text: str) -> list[str]:
    """Split a text into tokens like a model's: words with the space before them, long ones in two."""
    return [piece for word in re.findall(r"\s*\S+\s*?", text) for piece in (word[:7], word[7:]) if piece]


def image_of(body: dict[str, Any]) -> bytes:
    [part] = [part for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    prefix, data = part["image_url"]["url"].split(",", 1)
    assert prefix == "data:image/png;base64"
    return base64.b64decode(data, validate=True)


def prompt_of(body: dict[str, Any]) -> str:
    return "".join(part["text"] for part in body["messages"][0]["content"] if part["type"] == "text")


_lock = threading.Lock()


def recognize_png(png: bytes) -> str:
    """Return the Markdown that the default engine reads on an image."""
    with _lock:
        return _recognized(png)


@lru_cache(maxsize=32)
def _recognized(png: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Path(file.name).write_bytes(png)
        return "\n\n".join(_pages(file.name))


def _pages(path: str) -> Iterator[str]:
    for event in read(path, Options(engine="rapid", threads=1)):
        if isinstance(event, PageDone):
            yield event.markdown
