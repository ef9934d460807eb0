"""Server-Sent Events: the conversation of a socket that has opted in, as a stream over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.event_stream_client import EventStreamClient
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of, problem_of
from tests.support.scripted_documents import Document
from tests.support.server import Server


async def test_event_stream_begins_with_a_cursor_and_sends_changes(alice: Account) -> None:
    async with EventStreamClient(alice) as client:
        assert client.subscribed["type"] == "subscribed"
        assert client.last_event_id == client.subscribed["cursor"]
        key = (await client.create(scripted_png(lines=["one"])))["instance"]["id"]
        end = await client.terminal_message(key)
        assert (end["status"], end["raw_text"]) == ("processed", "one")
        assert client.last_event_id == end["cursor"]
        assert client.seen[0]["type"] == "Upload.created"


async def test_event_stream_equals_the_messages_of_a_socket(alice: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with EventStreamClient(alice, stream="pages") as client, alice.client() as socket:
        await socket.request({"type": "subscribe", "stream": "pages"})
        key = (await client.create(document.tiff))["instance"]["id"]
        for each in (client, socket):
            await each.receive_until(lambda m: m.get("page") == 2 and m["streamed_text"] == "page 2")
        document.release_page(2)
        for each in (client, socket):
            await each.terminal_message(key)

        def events(each: EventStreamClient | object) -> list[object]:
            return [m for m in each.seen if "cursor" in m and m["type"] != "subscribed"]  # type: ignore[attr-defined]

        assert events(client) == events(socket)


async def test_event_stream_of_one_upload_has_no_other(alice: Account, gate: ReadingGate) -> None:
    async with alice.client() as requester:
        key = (await requester.create(scripted_png(lines=["one", "two"], **gate.after(1))))["instance"]["id"]
        async with EventStreamClient(alice, key) as client:
            assert client.subscribed["instance_id"] == key
            await client.receive_until(lambda m: m.get("streamed_text") == "one")
            await client.create(scripted_png(lines=["other"]))
            gate.open()
            await client.terminal_message(key)
            assert {m.get("id") or m["instance"]["id"] for m in client.seen} == {key}


async def test_event_stream_resumes_after_the_last_event_id(alice: Account) -> None:
    async with EventStreamClient(alice) as client:
        cursor = client.last_event_id
        keys = [(await client.create(scripted_png(lines=[f"{n}"])))["instance"]["id"] for n in range(3)]
        for key in keys:
            await client.terminal_message(key)
        expected = [m["cursor"] for m in client.seen if "cursor" in m]
    async with EventStreamClient(alice, last_event_id=cursor) as client:
        assert client.subscribed["recovered"] is True
        received: list[str] = []
        while received != expected:
            message = await client.receive()
            received += [message["cursor"]] if "cursor" in message else []
            assert received == expected[: len(received)]


async def test_event_stream_from_an_unknown_cursor_sends_a_list_with_the_new_one(alice: Account) -> None:
    async with EventStreamClient(alice, last_event_id="none:0") as client:
        assert client.subscribed["recovered"] is False
        assert client.last_event_id == "none:0"  # a client that is cut off here must not resume
        assert (await client.receive())["type"] == "Upload.list"
        assert client.last_event_id == client.subscribed["cursor"]


async def test_event_stream_ends_when_its_token_expires(alice: Account) -> None:
    headers = {"Authorization": f"Bearer {alice.mint(seconds=2)}"}
    with httpx.stream("GET", f"{alice.server.http}/api/events", headers=headers, timeout=60) as response:
        text = response.read().decode()
    assert '"code":"unauthenticated"' in text.rpartition("event: close\ndata: ")[2]


async def test_event_stream_ends_when_the_user_is_deactivated(alice: Account) -> None:
    async with EventStreamClient(alice) as client:
        alice.deactivate()
        assert (await client.close_problem())["code"] == "unauthenticated"


async def test_event_streams_and_sockets_share_a_limit(strict_server: Server) -> None:
    account, other = Account.create(strict_server), Account.create(strict_server)
    url = f"{strict_server.http}/api/events"
    async with EventStreamClient(account), httpx.AsyncClient() as http:
        refused = await http.get(url, headers=account.headers)
        assert (refused.status_code, problem_of(refused)["code"]) == (429, "rate_limited")
        assert refused.headers["retry-after"]
        async with http.stream("GET", url, headers=other.headers) as response:
            assert response.status_code == 200


@pytest.mark.parametrize(("query", "field"), [("stream=x", "stream"), ("sinc=1", "sinc")])
def test_event_stream_with_an_invalid_parameter_is_refused(alice: Account, query: str, field: str) -> None:
    response = httpx.get(f"{alice.server.http}/api/events?{query}", headers=alice.headers)
    assert response.status_code == 400
    assert field in errors_of(response)


async def test_event_stream_of_an_upload_of_another_user_is_404(alice: Account, bob: Account) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png()))["instance"]["id"]
    url = f"{alice.server.http}/api/uploads/{key}/events"
    response = httpx.get(url, headers=bob.headers)
    assert (response.status_code, problem_of(response)["code"]) == (404, "upload_not_found")
    assert httpx.get(url).status_code == 401


async def test_shutdown_ends_event_streams_and_waiting_requests(
    new_server: Callable[..., Server], gate: ReadingGate
) -> None:
    """The server waits for its responses: none of these would end by itself."""
    server = new_server()
    account = Account.create(server)
    async with EventStreamClient(account) as client, httpx.AsyncClient(timeout=60) as http:
        image = scripted_png(lines=["one", "two"], **gate.after(1))
        url = f"{server.http}/api/read?wait=600"
        reading = asyncio.create_task(http.post(url, content=image, headers=account.headers))
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        assert (await client.close_problem())["code"] == "shutting_down"
        response = await reading
        assert response.status_code == 202, response.text
    assert await stopping == 0
