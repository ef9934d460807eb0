"""Routes that bypass Django: which requests they serve, and the errors of their handlers."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from backend_main.core.errors import ScanrillError, SlowConsumer, UploadNotFound
from backend_main.core.http.stream_routes import StreamRoute, StreamRoutes
from backend_main.core.live.server_connection import ABORT

START = {"type": "http.response.start", "status": 200, "headers": []}


class Request:
    """A request to the only route `GET /api/things/{name}`, whose handler raises an error.

    Attributes:
        sent: The messages of the response.
        served_by_django: Whether the application got the request.
        is_aborted: Whether the connection was closed.
    """

    def __init__(self, error: Exception | None = None, *, is_started: bool = False) -> None:
        self.sent: list[dict[str, Any]] = []
        self.served_by_django = self.is_aborted = False
        self._error, self._is_started = error, is_started

    async def send_to(self, path: str, method: str = "GET") -> None:
        routes = StreamRoutes(StreamRoute("api/things/<str:name>", {"GET": self._handle}))
        state = {ABORT: lambda: setattr(self, "is_aborted", True)}
        scope = {"type": "http", "method": method, "path": path, "headers": [], "state": state}
        await routes.middleware(self._django)(scope, self._receive, self._send)

    async def _handle(self, scope: Any, receive: Any, send: Any, name: str) -> None:
        if self._is_started:
            await send(START)
        if self._error is not None:
            raise self._error
        await send({"type": "http.response.body", "body": name.encode()})

    async def _django(self, scope: Any, receive: Any, send: Any) -> None:
        self.served_by_django = True

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


@pytest.mark.parametrize("path", ["/api/things/a", "/api/things/a/"])
async def test_stream_route_serves_both_forms_of_its_path(path: str) -> None:
    request = Request()
    await request.send_to(path)
    assert request.sent[-1]["body"] == b"a"


@pytest.mark.parametrize(("path", "method"), [("/api/things", "GET"), ("/api/things/a", "POST")])
async def test_stream_routes_leave_other_requests_to_django(path: str, method: str) -> None:
    request = Request()
    await request.send_to(path, method)
    assert request.served_by_django
    assert not request.sent


async def test_stream_route_error_before_the_response_is_a_problem() -> None:
    request = Request(UploadNotFound())
    await request.send_to("/api/things/a")
    assert request.sent[0]["status"] == 404
    assert msgspec.json.decode(request.sent[1]["body"])["code"] == "upload_not_found"
    assert not request.is_aborted


@pytest.mark.parametrize("error", [SlowConsumer("too slow"), ScanrillError("x"), OSError("x")])
async def test_stream_route_error_in_a_response_closes_the_connection(error: Exception) -> None:
    request = Request(error, is_started=True)
    await request.send_to("/api/things/a")
    assert request.sent == [START]
    assert request.is_aborted


async def test_stream_route_cancellation_passes_through() -> None:
    with pytest.raises(asyncio.CancelledError):
        await Request(asyncio.CancelledError()).send_to("/api/things/a")  # type: ignore[arg-type]
