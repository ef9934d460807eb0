"""Step 10 - one question with a picture, and the pieces of its answer as they come, over HTTP.

With the standard library: its sockets are all that is needed, and give the deadlines by hand. Nothing that
the endpoint says about an error goes further than the log, and the key goes nowhere but to the endpoint.
"""

import base64
import email.utils
import http.client
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .config import VisionConfig

CONNECT_TIMEOUT_SECONDS = 10.0
READ_BYTES = 1 << 16
MAX_RESPONSE_BYTES = 1 << 24
"""Far beyond a page, with all that is wrapped around each token."""
LOGGED_CHARACTERS = 300
TOO_MANY_REQUESTS = 429
_log = logging.getLogger("scanrill.reading")


class Delta(NamedTuple):
    """`finish` is the endpoint's reason to end, with the last piece."""

    text: str
    finish: str | None = None


class ChatError(Exception):
    """The message is the end of a sentence. `retryable`: asking once more may help, after `retry_after_seconds`."""

    def __init__(self, message: str, *, again: bool = False, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retryable, self.retry_after_seconds = again, after_seconds


class Deadlines(NamedTuple):
    """Until when the answer must be there (`time.monotonic`), and how long it may say nothing."""

    deadline: float
    stall_seconds: float

    def left(self) -> float:
        """Raises ChatError where no time is left."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise ChatError("did not answer within the time that a page may take")
        return seconds


def stream_completion(setup: VisionConfig, prompt: str, png: bytes, clock: Deadlines) -> Iterator[Delta]:
    """The pieces of the answer. Raises ChatError, also in the middle of it."""
    connection = _connection(setup, clock)
    try:
        response, wire = _send(connection, setup, _request_body(setup, prompt, png), clock)
        if response.status != http.client.OK:
            raise _http_error(setup, response)
        if response.getheader("Content-Type", "").startswith("application/json"):
            yield from _read_whole_response(response)
        else:
            yield from SSEReader(response, wire, clock).deltas()
    except TimeoutError:
        clock.left()
        raise ChatError(f"said nothing for {clock.stall_seconds:g} seconds", again=True) from None
    except (OSError, http.client.HTTPException) as error:
        raise ChatError(f"could not be reached, or broke off ({type(error).__name__})", again=True) from None
    finally:
        connection.close()


def _request_body(setup: VisionConfig, prompt: str, png: bytes) -> bytes:
    picture = "data:image/png;base64," + base64.b64encode(png).decode()
    content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": picture}}]
    if prompt:
        content.append({"type": "text", "text": prompt})
    question = {"model": setup.model, "messages": [{"role": "user", "content": content}]}
    return json.dumps(question | {"stream": True, "temperature": 0}).encode()


def _connection(setup: VisionConfig, clock: Deadlines) -> http.client.HTTPConnection:
    parts = urlsplit(setup.url)
    assert parts.hostname  # `VisionConfig.wrong` has looked
    seconds = min(CONNECT_TIMEOUT_SECONDS, clock.left())
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=seconds, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)


def _send(
    connection: http.client.HTTPConnection, setup: VisionConfig, question: bytes, clock: Deadlines
) -> tuple[http.client.HTTPResponse, socket.socket]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if setup.api_key:
        headers["Authorization"] = f"Bearer {setup.api_key}"
    connection.connect()
    wire = connection.sock  # the response keeps it when the connection lets it go
    wire.settimeout(min(clock.stall_seconds, clock.left()))
    connection.request("POST", urlsplit(setup.url).path.rstrip("/") + "/chat/completions", question, headers)
    return connection.getresponse(), wire


class SSEReader:
    """Server-sent events (WHATWG HTML, 9.2). A comment, or an empty piece, is no token."""

    def __init__(self, response: http.client.HTTPResponse, wire: socket.socket, clock: Deadlines) -> None:
        self._response, self._sock, self._deadlines = response, wire, clock
        self._token_at = time.monotonic()

    def deltas(self) -> Iterator[Delta]:
        finish = None
        for value in self._values():
            if value == b"[DONE]":
                return
            piece = _choice(_json(value), "delta")
            finish = piece.finish or finish
            if piece.text:
                self._token_at = time.monotonic()
            if piece.text or piece.finish:
                yield piece
        if finish is None:
            raise ChatError("broke off in the middle of its answer", again=True)

    def _values(self) -> Iterator[bytes]:
        """What stands behind `data:` in each line that has it."""
        waiting, taken = b"", 0
        while data := self._received():
            taken += len(data)
            if taken > MAX_RESPONSE_BYTES:
                raise ChatError("sent more than an answer can be")
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                kind, _, value = line.partition(b":")
                if kind == b"data":
                    yield value.strip()
        if waiting.startswith(b"data:"):
            yield waiting[5:].strip()

    def _received(self) -> bytes:
        silent_seconds = time.monotonic() - self._token_at
        if silent_seconds >= self._deadlines.stall_seconds:
            raise TimeoutError
        self._sock.settimeout(min(self._deadlines.stall_seconds - silent_seconds, self._deadlines.left()))
        return self._response.read1(READ_BYTES)


def _read_whole_response(response: http.client.HTTPResponse) -> Iterator[Delta]:
    """Of an endpoint that does not stream."""
    piece = _choice(_json(response.read(MAX_RESPONSE_BYTES)), "message")
    yield Delta(piece.text, piece.finish or "stop")


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ChatError("sent what is no answer of a chat")
    return value


def _choice(answer: dict[str, Any], key: str) -> Delta:
    if answer.get("error"):
        raise ChatError("reported an error in the middle of its answer", again=True)
    choices = answer.get("choices")
    if not choices:  # the last event of some holds what was used, and no choice
        return Delta("")
    try:
        text, finish = (choices[0].get(key) or {}).get("content"), choices[0].get("finish_reason")
    except (AttributeError, KeyError, TypeError):
        raise ChatError("sent what is no answer of a chat") from None
    return Delta(text if isinstance(text, str) else "", finish if isinstance(finish, str) else None)


def _http_error(setup: VisionConfig, response: http.client.HTTPResponse) -> ChatError:
    said = response.read(READ_BYTES).decode("utf-8", "replace")
    if setup.api_key:
        said = said.replace(setup.api_key, "(key)")
    _log.warning("the vision endpoint answered %d: %r", response.status, said[:LOGGED_CHARACTERS])
    if response.status in (401, 403):
        return ChatError(f"refused the key (HTTP {response.status})")
    if response.status == TOO_MANY_REQUESTS:
        wait = _seconds(response.getheader("Retry-After"))
        return ChatError("has had too many requests (HTTP 429)", again=True, after_seconds=wait)
    again = response.status >= 500
    wait = _seconds(response.getheader("Retry-After")) if again else None
    return ChatError(f"failed (HTTP {response.status})", again=again, after_seconds=wait)


def _seconds(retry_after: str | None) -> float | None:
    """A number of seconds, or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None
