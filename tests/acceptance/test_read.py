"""One call: `POST /api/read` answers with the text, and requests that wait for an upload."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.event_stream_client import parse_events
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of, problem_of
from tests.support.server import Server

TIMEOUT_SECONDS = 60.0


@pytest.fixture
def http(alice: Account) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=alice.server.http, headers=alice.headers, timeout=TIMEOUT_SECONDS) as client:
        yield client


def rest(account: Account) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=account.server.http, headers=account.headers, timeout=TIMEOUT_SECONDS)


def accept(media_type: str) -> dict[str, str]:
    return {"Accept": media_type}


# ── the form of the answer ──


@pytest.mark.parametrize(
    ("query", "headers", "media_type", "start"),
    [
        ("", {}, "text/markdown", b"one\ntwo"),
        ("", accept("text/plain"), "text/plain", b"one two"),
        ("", accept("text/html;q=0.5, application/pdf"), "application/pdf", b"%PDF-"),
        ("?format=hocr", accept("application/json"), "application/xhtml+xml", b"<?xml"),
        ("?format=docx", {}, "application/vnd.openxmlformats-officedocument.", b"PK"),
    ],
)
def test_read_answers_in_the_form_that_is_asked_for(
    http: httpx.Client, query: str, headers: dict[str, str], media_type: str, start: bytes
) -> None:
    response = http.post(f"/api/read{query}", content=scripted_png(lines=["one", "two"]), headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(media_type)
    assert response.content.startswith(start)
    instance = http.get(response.headers["location"]).json()
    assert (instance["status"], instance["raw_text"]) == ("processed", "one\ntwo")


def test_read_as_json_has_the_upload_and_its_pages(http: httpx.Client) -> None:
    files = {"file": ("a b.png", scripted_png(lines=["one"]))}
    data = {"pages": "1"}
    response = http.post("/api/read", files=files, data=data, headers=accept("application/json"))
    answer = response.json()
    assert answer["instance"] == http.get(response.headers["location"]).json()
    assert answer["instance"]["filename"] == "a b.png"
    assert [(page["number"], page["markdown"]) for page in answer["pages"]] == [(1, "one")]


async def test_read_as_events_streams_the_text(alice: Account, gate: ReadingGate) -> None:
    image = scripted_png(lines=["one", "two"], **gate.after(1))
    messages: list[dict[str, Any]] = []
    async with (
        rest(alice) as http,
        http.stream("POST", "/api/read", content=image, headers=accept("text/event-stream")) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream"
        async for event in parse_events(response.aiter_lines()):
            messages += [json.loads(event.data)] if event.data else []
            if messages and messages[-1].get("streamed_text") == "one":
                gate.open()
        instance = (await http.get(response.headers["location"])).json()
    assert [messages[0]["type"], messages[1]["type"]] == ["subscribed", "Upload.created"]
    assert messages[-1]["raw_text"] == instance["raw_text"] == "one\ntwo"
    assert {message.get("id", instance["id"]) for message in messages} == {instance["id"]}


async def test_read_as_events_of_a_known_file_ends_with_its_text(alice: Account) -> None:
    image = scripted_png(lines=["one"])
    async with rest(alice) as http:
        await http.post("/api/read", content=image)
        response = await http.post("/api/read", content=image, headers=accept("text/event-stream"))
    last = response.text.rstrip().rpartition("data: ")[2]
    assert json.loads(last)["raw_text"] == "one"


def test_read_in_a_form_that_does_not_exist_is_406_and_stores_nothing(http: httpx.Client) -> None:
    response = http.post("/api/read", content=scripted_png(), headers=accept("image/png"))
    assert (response.status_code, problem_of(response)["code"]) == (406, "not_acceptable")
    assert http.get("/api/uploads/").json()["list"] == []


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"format": "odt"}, "format"),
        ({"wait": "601"}, "wait"),
        ({"pages": "x"}, "pages"),
        ({"colour": "red"}, "colour"),
        ({"stream": "all"}, "stream"),
        ({"table": "1"}, "table"),
    ],
)
@pytest.mark.parametrize("place", ["query", "form"])
def test_read_with_an_invalid_parameter_stores_nothing(
    http: httpx.Client, parameters: dict[str, str], field: str, place: str
) -> None:
    files = {"file": ("a.png", scripted_png())}
    if place == "query":
        response = http.post("/api/read", params=parameters, files=files)
    else:
        response = http.post("/api/read", data=parameters, files=files)
    assert response.status_code == 400
    assert list(errors_of(response)) == [field]
    assert http.get("/api/uploads/").json()["list"] == []


def test_read_with_different_values_in_query_and_form_is_refused(http: httpx.Client) -> None:
    files = {"file": ("a.png", scripted_png())}
    response = http.post("/api/read?format=md", data={"format": "txt"}, files=files)
    assert list(errors_of(response)) == ["format"]


def test_read_of_a_file_that_cannot_be_read_is_422(http: httpx.Client) -> None:
    response = http.post("/api/read", content=b"%PDF-1.7\nand nothing else")
    assert response.status_code == 422
    instance = http.get(response.headers["location"]).json()
    assert instance["status"] == "error"
    assert problem_of(response)["detail"] == instance["error"]


# ── waiting ──


def test_read_beyond_its_time_is_202_and_loses_nothing(http: httpx.Client, gate: ReadingGate) -> None:
    image = scripted_png(lines=["one", "two"], **gate.after(1))
    response = http.post("/api/read?wait=0", content=image)
    assert response.status_code == 202
    assert response.headers["retry-after"].isdecimal()
    assert response.json()["id"] in response.headers["location"]
    gate.open()
    instance = http.get(response.headers["location"], params={"wait": 60}).json()
    assert (instance["status"], instance["raw_text"]) == ("processed", "one\ntwo")
    assert http.post("/api/read", content=image).text.startswith("one\ntwo")


def test_create_with_wait_returns_the_texts(http: httpx.Client) -> None:
    response = http.post("/api/uploads/?wait=60", content=scripted_png(lines=["one"]))
    assert response.status_code == 201
    assert response.json()["instance"]["raw_text"] == "one"
    preferred = http.post("/api/uploads/", content=scripted_png(lines=["two"]), headers={"Prefer": "wait=60"})
    assert preferred.json()["instance"]["raw_text"] == "two"


async def test_upload_stays_when_the_client_of_read_goes(alice: Account, gate: ReadingGate) -> None:
    image = scripted_png(lines=["one", "two"], **gate.after(1))
    async with alice.client() as socket, rest(alice) as http:
        reading = asyncio.create_task(http.post("/api/read", content=image))
        created = await socket.receive_until(lambda m: m["type"] == "Upload.created")
        await socket.receive_until(lambda m: m.get("streamed_text") == "one")
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        gate.open()
        assert (await socket.terminal_message(created["instance"]["id"]))["raw_text"] == "one\ntwo"


async def test_read_of_another_user_is_not_held_up_by_many_that_wait(
    alice: Account, bob: Account, gate: ReadingGate
) -> None:
    """A thousand waiting requests of one user hold no thread, and no connection of another user."""
    async with alice.client() as socket:
        created = await socket.create(scripted_png(lines=["one"], **gate.after(0)))
    key = created["instance"]["id"]
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(
            base_url=alice.server.http, headers=alice.headers, timeout=TIMEOUT_SECONDS, limits=limits
        ) as http,
        rest(bob) as other,
    ):
        waiting = [asyncio.create_task(http.get(f"/api/uploads/{key}/?wait=60")) for _ in range(100)]
        answer = await other.post("/api/uploads/", content=scripted_png(lines=["of bob"]))
        assert answer.status_code == 201
        assert (await other.get("/api/uploads/")).json()["list"]
        gate.open()
        answers = await asyncio.gather(*waiting)
    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(200, "processed")}


async def test_read_beyond_the_connections_of_the_user_is_429_and_stores_nothing(
    strict_server: Server,
) -> None:
    account = Account.create(strict_server)
    async with account.client(), account.client(), rest(account) as http:
        response = await http.post("/api/read", content=scripted_png())
        assert (response.status_code, problem_of(response)["code"]) == (429, "rate_limited")
        assert (await http.get("/api/uploads/")).json()["list"] == []
        created = await http.post("/api/uploads/?wait=60", content=scripted_png(lines=["later"]))
        assert created.status_code == 201


def test_read_without_token_is_401(alice: Account) -> None:
    assert httpx.post(f"{alice.server.http}/api/read", content=b"x").status_code == 401


def test_read_by_url_is_refused_unless_a_host_is_allowed(http: httpx.Client) -> None:
    response = http.post("/api/read", json={"url": "https://example.org/scan.png"})
    assert response.status_code == 400
    assert "does not fetch" in errors_of(response)["url"]
    response = http.post("/api/read", json={"languages": ["de"]})
    assert "needs the URL" in errors_of(response)["url"]
