"""S40 - interfaces of other products: hostile options and JSON, and clients that wait or never read."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from backend_main.core.auth.authentication import Identity
from backend_main.core.errors import RequestError, SlowConsumer
from backend_main.core.http import events, render
from backend_main.core.http.http_errors import ReadingFailed
from backend_main.core.http.request_body import receive_nothing
from backend_main.core.http.wires import docling_status, mistral, openai
from backend_main.core.http.wires.requests import MAX_JSON_VALUES, WireRequest
from backend_main.core.live.rate_limit import TokenBucket
from backend_main.core.live.server_connection import ABORT, SERVER_CONNECTION
from backend_main.core.models import Upload, User
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

SOURCE, CHAT, OCR = "/docling/v1/convert/source/async", "/openai/v1/chat/completions", "/mistral/v1/ocr"
DEEP = 100_000
HOSTILE = {
    "deep": (CHAT, '{"messages":[{"a":' + "[" * DEEP),
    "deep and unknown": (OCR, '{"x":' + "[" * DEEP),
    "empty objects": (CHAT, '{"messages":[' + "{}," * MAX_JSON_VALUES + "{}]}"),
    "empty lists": (OCR, '{"document":{"a":[' + "[]," * MAX_JSON_VALUES + "[]]}}"),
}
OPTIONS = {
    "number of languages": {"ocr_lang": 5},
    "number of formats": {"to_formats": 5},
    "object of formats": {"to_formats": {"md": 1}},
    "huge timeout": {"document_timeout": int("9" * 400)},
}


@pytest.fixture(scope="module")
def user(server: Server) -> Account:
    return Account.create(server)


def post(user: Account, path: str, content: str) -> httpx.Response:
    headers = {**user.headers, "Content-Type": "application/json"}
    return httpx.post(user.server.http + path, content=content, headers=headers, timeout=60)


@pytest.mark.parametrize("name", HOSTILE)
def test_s40_hostile_json_is_refused(user: Account, name: str) -> None:
    response = post(user, *HOSTILE[name])
    assert response.status_code == 400, response.text
    assert response.json()


@pytest.mark.parametrize("name", OPTIONS)
def test_s40_docling_options_of_a_wrong_type_are_refused(user: Account, name: str) -> None:
    content = base64.b64encode(scripted_png(lines=["A"])).decode()
    body = {"sources": [{"kind": "file", "base64_string": content}], "options": OPTIONS[name]}
    response = post(user, SOURCE.removesuffix("/async"), json.dumps(body))
    assert response.status_code == 400, response.text


def test_s40_long_page_ranges_are_refused() -> None:
    with pytest.raises(RequestError):
        mistral._chosen("0-99999," * 1_000 + "1")


def test_s40_wide_page_ranges_take_no_memory() -> None:
    parts = mistral._chosen("3, 10-999999")
    assert [number for number in (0, 3, 9, 10, 999_999) if any(number in part for part in parts)] == [
        3,
        10,
        999_999,
    ]
    assert all(isinstance(part, range) for part in parts)


def test_s40_responses_are_for_no_cache(user: Account) -> None:
    response = httpx.get(f"{user.server.http}/openai/v1/models", headers=user.headers)
    assert response.headers["cache-control"] == "no-store"
    assert "sandbox" in response.headers["content-security-policy"]


async def test_s40_chat_stream_that_is_not_read_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "CLOSE_TIMEOUT_SECONDS", 0.01)
    aborted = asyncio.Event()

    async def send(_message: Any) -> None:
        await asyncio.Event().wait()  # the client reads nothing

    stream = openai._ChatStream.__new__(openai._ChatStream)
    parts = {
        "_scope": {"state": {ABORT: aborted.set}},
        "_send": send,
        "_sending": asyncio.Lock(),
        "_failure": ReadingFailed("It failed.", None, {}),
        "_upload": SimpleNamespace(),
    }
    for name, value in parts.items():
        setattr(stream, name, value)
    ending = asyncio.ensure_future(stream._send_end(None))
    async with asyncio.timeout(60):
        await aborted.wait()
    ending.cancel()


async def test_s40_response_that_is_not_read_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "SEND_TIMEOUT_SECONDS", 0.01)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # the client reads nothing

    request = WireRequest({}, receive_nothing, send, Identity(User(), math.inf, math.inf))
    async with asyncio.timeout(60):
        with pytest.raises(SlowConsumer):
            await request.send_bytes(b"content", "application/json")


async def test_s40_docling_socket_refuses_the_origin_of_another_site(user: Account) -> None:
    async with status_socket(user, "0" * 32, user.mint(), origin="https://evil.example") as client:
        assert await client.close_code() == 4403


async def test_s40_docling_socket_closes_when_its_token_expires(user: Account, tmp_path: Path) -> None:
    task = waiting_task(user, tmp_path / "gate")
    async with status_socket(user, task, user.mint(exp=int(time.time()) + 2)) as client:
        assert await client.close_code() == 4401
    (tmp_path / "gate").touch()


async def test_s40_docling_socket_limits_the_messages_of_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = Upload(status="pending")
    incoming = [{"type": "websocket.connect"}, *[{"type": "websocket.receive", "text": "state"}] * 4]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0) if incoming else {"type": "websocket.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def authenticate(*_: object) -> Identity:
        return Identity(User(), math.inf, math.inf)

    async def find(*_: object) -> Upload:
        return upload

    @asynccontextmanager
    async def watching(*_: object) -> AsyncIterator[Any]:
        yield SimpleNamespace(wait_until_ended=lambda *_: asyncio.Event().wait())

    server = SimpleNamespace(frame_rate=TokenBucket(0.0, 2.0))
    monkeypatch.setattr(docling_status.executor, "run_in_db_thread", authenticate)
    monkeypatch.setattr(docling_status, "_upload", find)
    monkeypatch.setattr(docling_status, "watching", watching)
    scope = {
        "headers": [],
        "query_string": b"api_key=x",
        "url_route": {"kwargs": {"task_id": f"{upload.pk.hex}-md"}},
        "extensions": {SERVER_CONNECTION: server},
    }
    await docling_status.status_socket(scope, receive, send)
    kinds = [json.loads(message["text"])["message"] for message in sent if "text" in message]
    assert kinds == ["connection", "update", "update", "error"]
    assert sent[-1] == {"type": "websocket.close", "code": 4429}


def waiting_task(user: Account, gate: Path) -> str:
    """Create a docling task whose reading waits until the file `gate` is there."""
    image = scripted_png(lines=["A", "B"], wait_for=str(gate), wait_after=1)
    url = f"{user.server.http}/docling/v1/convert/file/async"
    response = httpx.post(url, files={"files": ("a.png", image)}, headers=user.headers)
    return str(response.json()["task_id"])


def status_socket(user: Account, task: str, token: str, **options: Any) -> WebSocketClient:
    url = f"{user.server.url(f'/docling/v1/status/ws/{task}')}?api_key={token}"
    return WebSocketClient(url, **options)
