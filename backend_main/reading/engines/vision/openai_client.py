"""Client of an OpenAI-compatible chat completions endpoint: one request with an image, a streamed response.

It uses the standard library, whose sockets allow a deadline for each read. What the endpoint reports about an
error goes to the log only; the key goes to the endpoint only.
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
"""Far more than a page with the JSON around each of its tokens."""
MAX_LOGGED_CHARACTERS = 300
_log = logging.getLogger("scanrill.reading")


class Delta(NamedTuple):
    """Piece of a response. The last one has the endpoint's reason to finish."""

    text: str
    finish_reason: str | None = None


class ChatError(Exception):
    """Failure of a request. The message is a phrase whose subject is the model: "sent no data for 60 s".

    is_retryable: a second request may succeed.
    retry_after_seconds: time that the endpoint asked to wait before it; None if it named none.
    """

    def __init__(
        self, message: str, *, is_retryable: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_retryable = is_retryable
        self.retry_after_seconds = retry_after_seconds


class Deadlines(NamedTuple):
    """Time limits of a response.

    deadline: time, as of `time.monotonic`, at which the whole response must be complete.
    stall_seconds: maximum time between two tokens.
    """

    deadline: float
    stall_seconds: float

    def seconds_left(self) -> float:
        """Return the time until the deadline. Raises ChatError if there is none."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise ChatError("did not finish within the time limit of a page")
        return seconds


def stream_completion(config: VisionConfig, prompt: str, png: bytes, deadlines: Deadlines) -> Iterator[Delta]:
    """Send an image with a prompt; yield the response as it arrives.

    Raises:
        ChatError: the request failed, possibly after a part of the response.
    """
    connection = _connection(config, deadlines)
    try:
        response, sock = _send_request(connection, config, prompt, png, deadlines)
        if response.status != http.client.OK:
            raise _http_error(config, response)
        if response.getheader("Content-Type", "").startswith("application/json"):
            # This endpoint does not stream.
            delta = _first_choice(_parse_json(response.read(MAX_RESPONSE_BYTES)), "message")
            yield Delta(delta.text, delta.finish_reason or "stop")
        else:
            yield from SSEReader(response, sock, deadlines).deltas()
    except TimeoutError:
        deadlines.seconds_left()
        raise ChatError(f"sent no data for {deadlines.stall_seconds:g} s", is_retryable=True) from None
    except (OSError, http.client.HTTPException) as error:
        message = f"could not be reached, or closed the connection ({type(error).__name__})"
        raise ChatError(message, is_retryable=True) from None
    finally:
        connection.close()


def _connection(config: VisionConfig, deadlines: Deadlines) -> http.client.HTTPConnection:
    parts = urlsplit(config.url)
    assert parts.hostname  # checked by `VisionConfig.validation_error`
    timeout = min(CONNECT_TIMEOUT_SECONDS, deadlines.seconds_left())
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def _send_request(
    connection: http.client.HTTPConnection,
    config: VisionConfig,
    prompt: str,
    png: bytes,
    deadlines: Deadlines,
) -> tuple[http.client.HTTPResponse, socket.socket]:
    image_url = "data:image/png;base64," + base64.b64encode(png).decode()
    content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": image_url}}]
    if prompt:
        content.append({"type": "text", "text": prompt})
    messages = [{"role": "user", "content": content}]
    body = {"model": config.model, "messages": messages, "stream": True, "temperature": 0}
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if config.api_key:
        headers["Authorization"] = f"Bearer {config.api_key}"

    connection.connect()
    sock = connection.sock  # the connection drops its reference once the response has it
    sock.settimeout(min(deadlines.stall_seconds, deadlines.seconds_left()))
    path = urlsplit(config.url).path.rstrip("/") + "/chat/completions"
    connection.request("POST", path, json.dumps(body).encode(), headers)
    return connection.getresponse(), sock


class SSEReader:
    """Reader of server-sent events (WHATWG HTML, section 9.2). Comments and empty deltas are not tokens."""

    def __init__(self, response: http.client.HTTPResponse, sock: socket.socket, deadlines: Deadlines) -> None:
        self._response = response
        self._sock = sock
        self._deadlines = deadlines
        self._last_token_at = time.monotonic()

    def deltas(self) -> Iterator[Delta]:
        """Yield the deltas that have a text or a reason to finish.

        Raises:
            ChatError: the response is invalid, incomplete or late.
            TimeoutError: no token arrived in time.
        """
        finish_reason = None
        for value in self._data_values():
            if value == b"[DONE]":
                return
            delta = _first_choice(_parse_json(value), "delta")
            finish_reason = delta.finish_reason or finish_reason
            if delta.text:
                self._last_token_at = time.monotonic()
            if delta.text or delta.finish_reason:
                yield delta
        if finish_reason is None:
            raise ChatError("ended its response early", is_retryable=True)

    def _data_values(self) -> Iterator[bytes]:
        """Yield the values of the `data` fields."""
        unfinished_line = b""
        received_bytes = 0
        while data := self._receive():
            received_bytes += len(data)
            if received_bytes > MAX_RESPONSE_BYTES:
                raise ChatError(f"sent more than {MAX_RESPONSE_BYTES} bytes")
            *lines, unfinished_line = (unfinished_line + data).split(b"\n")
            for line in lines:
                field, _, value = line.partition(b":")
                if field == b"data":
                    yield value.strip()
        if unfinished_line.startswith(b"data:"):
            yield unfinished_line[5:].strip()

    def _receive(self) -> bytes:
        silent_seconds = time.monotonic() - self._last_token_at
        if silent_seconds >= self._deadlines.stall_seconds:
            raise TimeoutError
        timeout = min(self._deadlines.stall_seconds - silent_seconds, self._deadlines.seconds_left())
        self._sock.settimeout(timeout)
        return self._response.read1(READ_BYTES)


def _parse_json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ChatError("returned an invalid chat completion")
    return value


def _first_choice(completion: dict[str, Any], key: str) -> Delta:
    """Return the first choice of a completion, or of a chunk of one. `key` is "message" or "delta"."""
    if completion.get("error"):
        raise ChatError("reported an error in its response", is_retryable=True)
    choices = completion.get("choices")
    if not choices:  # the last event of some endpoints has the token usage only
        return Delta("")
    try:
        text = (choices[0].get(key) or {}).get("content")
        finish_reason = choices[0].get("finish_reason")
    except (AttributeError, KeyError, TypeError):
        raise ChatError("returned an invalid chat completion") from None
    return Delta(
        text if isinstance(text, str) else "", finish_reason if isinstance(finish_reason, str) else None
    )


def _http_error(config: VisionConfig, response: http.client.HTTPResponse) -> ChatError:
    body = response.read(READ_BYTES).decode("utf-8", "replace")
    if config.api_key:
        body = body.replace(config.api_key, "(key)")
    _log.warning("The vision endpoint returned HTTP %d: %r.", response.status, body[:MAX_LOGGED_CHARACTERS])
    if response.status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return ChatError(f"rejected the key (HTTP {response.status})")
    is_rate_limited = response.status == http.client.TOO_MANY_REQUESTS
    if not is_rate_limited and response.status < http.client.INTERNAL_SERVER_ERROR:
        return ChatError(f"failed (HTTP {response.status})")
    return ChatError(
        "received too many requests (HTTP 429)" if is_rate_limited else f"failed (HTTP {response.status})",
        is_retryable=True,
        retry_after_seconds=_retry_after_seconds(response.getheader("Retry-After")),
    )


def _retry_after_seconds(header: str | None) -> float | None:
    """Parse a Retry-After header, which is a number of seconds or a date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
