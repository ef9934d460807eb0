"""Requests of commands to a server, over REST, with an API key."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

# The server answers before: a response can be late, but not lost for ever.
REQUEST_TIMEOUT_SECONDS = 120
CHUNK_BYTES = 65_536


class ServerRefused(Exception):
    """A response of the server with an error.

    Attributes:
        status: HTTP status.
        is_retryable: Whether the same request can succeed later.
    """

    def __init__(self, status: int, detail: str, *, is_retryable: bool) -> None:
        super().__init__(detail)
        self.status = status
        self.is_retryable = is_retryable


class ServerUnreachable(Exception):
    """A request without a whole response."""


class RestServer:
    """A server at a URL, and a key for it."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        *,
        file: IO[bytes] | None = None,
        size: int = 0,
        headers: dict[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request, and yield its response, whose body is not read yet.

        Args:
            file: The body, of `size` bytes.

        Raises:
            ServerRefused: The server responds with an error.
            ServerUnreachable: The server does not respond, or not to the end.
        """
        sent = {"Authorization": f"Bearer {self._api_key}"} | (headers or {})
        if file is not None:
            sent |= {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        request = urllib.request.Request(  # noqa: S310 - http(s)
            self._url + path, data=file, headers=sent, method=method
        )
        opener = urllib.request.build_opener(_NoRedirect)
        with _translate_errors(), opener.open(request, timeout=REQUEST_TIMEOUT_SECONDS) as response:
            yield response


def body_chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield the body of a response.

    An error of the connection is a `ServerUnreachable`: no `OSError`, as of the file that the body goes to.
    """
    with _translate_errors():
        while chunk := response.read(CHUNK_BYTES):
            yield chunk


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error.code, error.read()) from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ServerUnreachable(f"The server does not respond: {reason}") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirect: the key goes to this server only."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _refusal(status: int, body: bytes) -> ServerRefused:
    """Return the error in a body of RFC 9457; of another body, what the status says."""
    try:
        problem = json.loads(body)
        detail, is_retryable = str(problem["detail"]), bool(problem.get("retryable"))
    except (ValueError, KeyError, TypeError):
        detail, is_retryable = f"The server responded with status {status}.", status >= 500
    return ServerRefused(status, detail, is_retryable=is_retryable or status == 429)
