"""S40 - interfaces of other products: hostile options and JSON, and clients that wait or never read."""

from __future__ import annotations

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from backend_main.core.errors import RequestError
from backend_main.core.http import events
from backend_main.core.http.http_errors import ReadingFailed
from backend_main.core.http.wires import mistral, openai
from backend_main.core.http.wires.requests import MAX_JSON_VALUES
from backend_main.core.live.server_connection import ABORT
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server

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
