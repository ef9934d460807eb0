"""A reading that is broken off, and one that is asked for again."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.acceptance.conftest import Barrier
from tests.support.accounts import Account
from tests.support.message_checks import (
    assert_no_more_messages,
    partial_texts,
    receive_terminal,
    received_types,
    upload_ids,
)
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import Document
from tests.support.websocket_client import Message, WebSocketClient


def cancelled(key: str) -> Message:
    return {"id": key, "status": "cancelled", "type": "Upload.status", "error": "Cancelled"}


async def retrieved(client: WebSocketClient, key: str) -> Message:
    instance: Message = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
    return instance


def rest(account: Account) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {account.mint()}"}
    return httpx.AsyncClient(base_url=account.server.http, headers=headers)


async def test_the_finished_pages_of_a_cancelled_document_stay_readable(
    alice: Account, tmp_path: Path
) -> None:
    document = Document(tmp_path, 4, gates={3: 1})
    async with alice.client() as client, rest(alice) as http:
        key = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == document.text_up_to(3))
        assert await client.request({"type": "cancel", "instance_id": key}) == cancelled(key)
        left = await retrieved(client, key)
        assert (left["status"], left["error"]) == ("cancelled", "Cancelled")
        assert left["raw_text"] == left["processed_text"] == document.text_up_to(2)
        assert (left["page_count"], left["pages_done"]) == (4, 2)
        found = [(await http.get(f"/api/uploads/{key}/pages/{n}")).status_code for n in (1, 2, 3)]
        assert found == [200, 200, 404]


async def test_every_socket_hears_of_a_cancel_once(alice: Account, bob: Account, barrier: Barrier) -> None:
    async with alice.client() as asking, alice.client() as watching, bob.client() as stranger:
        key = (await asking.create(scripted_png(lines=["one", "two"], **barrier.after(1))))["instance"]["id"]
        async with alice.client(key) as one:
            await one.receive_until(lambda m: m.get("streamed_text") == "one")
            await asking.request({"type": "cancel", "instance_id": key})
            for client in (watching, one):
                assert await client.terminal_message(key) == cancelled(key)
            for _ in range(2):
                assert await asking.request({"type": "cancel", "instance_id": key}) == cancelled(key)
            for client in (asking, watching, one, stranger):
                await assert_no_more_messages(client)
            assert received_types(watching, key).count("cancelled") == 1
            assert stranger.seen[:-1] == []


async def test_what_waits_its_turn_can_be_cancelled(alice: Account, barrier: Barrier) -> None:
    async with alice.client() as client:
        first = (await client.create(scripted_png(lines=["first"], **barrier.after(0))))["instance"]["id"]
        waiting = (await client.create(scripted_png(lines=["waiting"])))["instance"]["id"]
        assert await client.request({"type": "cancel", "instance_id": waiting}) == cancelled(waiting)
        barrier.lift()
        assert (await receive_terminal(client, first))["status"] == "processed"
        following = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(following)
        assert partial_texts(client, waiting) == []


async def test_a_cancelled_document_is_read_anew_from_its_first_page(alice: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with alice.client() as client, alice.client() as watching:
        key = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == document.text_up_to(2))
        await client.request({"type": "update", "instance_id": key, "data": {"processed_text": "mine"}})
        await client.request({"type": "cancel", "instance_id": key})
        document.release_page(2)
        again = (await client.request({"type": "retry", "instance_id": key}))["instance"]
        assert (again["status"], again["error"], again["raw_text"]) == ("pending", None, "")
        assert (again["processed_text"], again["pages_done"]) == ("mine", 0)
        ends = [await client.terminal_message(key)]
        await watching.terminal_message(key)  # the cancel
        ends.append(await watching.terminal_message(key))
        for end in ends:
            assert (end["status"], end["raw_text"], end["processed_text"]) == (
                "processed",
                document.text,
                "mine",
            )
        assert document.pages_read == [1, 2, 1, 2, 3]
        for each in (client, watching):
            # The reading after it has a start of its own, and no text of the one before.
            told = received_types(each, key)
            at = len(told) - 1 - told[::-1].index("Upload.updated")
            assert told[at - 1] == "cancelled"
            assert set(told[at + 1 :]) == {"processing", "processed"}
            assert partial_texts(each, key).count("") == 2


async def test_what_is_read_is_read_again_on_demand(alice: Account) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png(lines=["one"])))["instance"]["id"]
        first = await client.terminal_message(key)
        await client.request({"type": "retry", "instance_id": key})
        assert await client.terminal_message(key) == first
        assert await upload_ids(client) == [key]


async def test_what_failed_is_read_once_the_reason_is_gone(alice: Account, tmp_path: Path) -> None:
    image = scripted_png(lines=["one"], then="raise", only_once=str(tmp_path / "raised"))
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        assert (await client.terminal_message(key))["status"] == "error"
        await client.request({"type": "retry", "instance_id": key})
        assert (await client.terminal_message(key))["raw_text"] == "one"


async def test_what_does_not_go_with_the_status_is_an_error_that_says_so(
    alice: Account, barrier: Barrier
) -> None:
    async with alice.client() as client, rest(alice) as http:
        key = (await client.create(scripted_png(lines=["one", "two"], **barrier.after(1))))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        refused = await client.request({"type": "retry", "instance_id": key})
        assert (refused["type"], list(refused["error"])) == ("Upload.updated", ["instance_id"])
        assert "processing" in refused["error"]["instance_id"]
        answer = await http.post(f"/api/uploads/{key}/retry")
        assert (answer.status_code, answer.json()["error"]) == (409, refused["error"])
        barrier.lift()
        await client.terminal_message(key)
        refused = await client.request({"type": "cancel", "instance_id": key})
        assert (refused["type"], list(refused["error"])) == ("Upload.status", ["instance_id"])
        assert "processed" in refused["error"]["instance_id"]
        answer = await http.post(f"/api/uploads/{key}/cancel")
        assert (answer.status_code, answer.json()["error"]) == (409, refused["error"])


async def test_rest_cancels_and_retries_and_the_sockets_hear_of_it(alice: Account, barrier: Barrier) -> None:
    async with alice.client() as client, rest(alice) as http:
        key = (await client.create(scripted_png(lines=["one", "two"], **barrier.after(1))))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        for _ in range(2):
            answer = await http.post(f"/api/uploads/{key}/cancel")
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert await client.terminal_message(key) == cancelled(key)
        barrier.lift()
        answer = await http.post(f"/api/uploads/{key}/retry")
        assert (answer.status_code, answer.json()["status"]) == (200, "pending")
        updated = await client.receive_until(lambda m: m["type"] == "Upload.updated")
        assert updated["instance"]["status"] == "pending"
        assert (await client.terminal_message(key))["raw_text"] == "one\ntwo"


async def test_a_correction_of_an_upload_that_is_cancelled_later_is_its_processed_text(
    alice: Account, barrier: Barrier
) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png(lines=["one"], **barrier.after(0))))["instance"]["id"]
        await client.request({"type": "update", "instance_id": key, "data": {"processed_text": "mine"}})
        await client.request({"type": "cancel", "instance_id": key})
        assert (await retrieved(client, key))["processed_text"] == "mine"
