"""Cancelling and retrying a reading."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.message_checks import (
    assert_no_more_messages,
    partial_texts,
    receive_terminal,
    received_types,
    upload_ids,
)
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of
from tests.support.scripted_documents import Document
from tests.support.websocket_client import Message, WebSocketClient


def cancelled_message(key: str) -> Message:
    return {"id": key, "status": "cancelled", "type": "Upload.status", "error": "Cancelled"}


async def retrieve(client: WebSocketClient, key: str) -> Message:
    instance: Message = (await client.request({"type": "retrieve", "instance_id": key}))["instance"]
    return instance


def rest(account: Account) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {account.mint()}"}
    return httpx.AsyncClient(base_url=account.server.http, headers=headers)


async def test_cancel_keeps_the_finished_pages_of_a_document(alice: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 4, gates={3: 1})
    async with alice.client() as client, rest(alice) as http:
        key = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == document.text_up_to(3))
        assert await client.request({"type": "cancel", "instance_id": key}) == cancelled_message(key)
        left = await retrieve(client, key)
        assert (left["status"], left["error"]) == ("cancelled", "Cancelled")
        assert left["raw_text"] == left["processed_text"] == document.text_up_to(2)
        assert (left["page_count"], left["pages_done"]) == (4, 2)
        found = [(await http.get(f"/api/uploads/{key}/pages/{n}")).status_code for n in (1, 2, 3)]
        assert found == [200, 200, 404]


async def test_cancel_sends_one_message_to_every_socket_of_the_user(
    alice: Account, bob: Account, gate: ReadingGate
) -> None:
    async with alice.client() as requester, alice.client() as observer, bob.client() as stranger:
        key = (await requester.create(scripted_png(lines=["one", "two"], **gate.after(1))))["instance"]["id"]
        async with alice.client(key) as one:
            await one.receive_until(lambda m: m.get("streamed_text") == "one")
            await requester.request({"type": "cancel", "instance_id": key})
            for client in (observer, one):
                assert await client.terminal_message(key) == cancelled_message(key)
            for _ in range(2):
                assert await requester.request({"type": "cancel", "instance_id": key}) == cancelled_message(
                    key
                )
            for client in (requester, observer, one, stranger):
                await assert_no_more_messages(client)
            assert received_types(observer, key).count("cancelled") == 1
            assert stranger.seen[:-1] == []


async def test_cancel_of_a_waiting_upload_prevents_its_reading(alice: Account, gate: ReadingGate) -> None:
    async with alice.client() as client:
        first = (await client.create(scripted_png(lines=["first"], **gate.after(0))))["instance"]["id"]
        waiting = (await client.create(scripted_png(lines=["waiting"])))["instance"]["id"]
        assert await client.request({"type": "cancel", "instance_id": waiting}) == cancelled_message(waiting)
        gate.open()
        assert (await receive_terminal(client, first))["status"] == "processed"
        following = (await client.create(scripted_png()))["instance"]["id"]
        await client.terminal_message(following)
        assert partial_texts(client, waiting) == []


async def test_retry_after_cancel_reads_from_the_first_page(alice: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with alice.client() as client, alice.client() as observer:
        key = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == document.text_up_to(2))
        await client.request({"type": "update", "instance_id": key, "data": {"processed_text": "mine"}})
        await client.request({"type": "cancel", "instance_id": key})
        document.release_page(2)
        retried = (await client.request({"type": "retry", "instance_id": key}))["instance"]
        assert (retried["status"], retried["error"], retried["raw_text"]) == ("pending", None, "")
        assert (retried["processed_text"], retried["pages_done"]) == ("mine", 0)
        terminal_messages = [await client.terminal_message(key)]
        await observer.terminal_message(key)  # the cancellation
        terminal_messages.append(await observer.terminal_message(key))
        for end in terminal_messages:
            assert (end["status"], end["raw_text"], end["processed_text"]) == (
                "processed",
                document.text,
                "mine",
            )
        assert document.pages_read == [1, 2, 1, 2, 3]
        for each in (client, observer):
            # The retry has its own first partial and no text of the cancelled reading.
            types = received_types(each, key)
            at = len(types) - 1 - types[::-1].index("Upload.updated")
            assert types[at - 1] == "cancelled"
            assert types[at + 1] == types[-2] == "Upload.status"
            assert set(types[at + 2 : -2]) == {"processing"}
            assert types[-1] == "processed"
            assert partial_texts(each, key).count("") == 2


async def test_retry_of_a_processed_upload_reads_it_again(alice: Account) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png(lines=["one"])))["instance"]["id"]
        first = await client.terminal_message(key)
        await client.request({"type": "retry", "instance_id": key})
        assert await client.terminal_message(key) == first
        assert await upload_ids(client) == [key]


async def test_retry_of_a_failed_upload_succeeds_after_the_cause_is_removed(
    alice: Account, tmp_path: Path
) -> None:
    image = scripted_png(lines=["one"], then="raise", only_once=str(tmp_path / "raised"))
    async with alice.client() as client:
        key = (await client.create(image))["instance"]["id"]
        assert (await client.terminal_message(key))["status"] == "error"
        await client.request({"type": "retry", "instance_id": key})
        assert (await client.terminal_message(key))["raw_text"] == "one"


async def test_cancel_and_retry_in_the_wrong_status_name_the_status(
    alice: Account, gate: ReadingGate
) -> None:
    async with alice.client() as client, rest(alice) as http:
        key = (await client.create(scripted_png(lines=["one", "two"], **gate.after(1))))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        refused = await client.request({"type": "retry", "instance_id": key})
        assert (refused["type"], list(refused["error"])) == ("Upload.updated", ["instance_id"])
        assert "processing" in refused["error"]["instance_id"]
        answer = await http.post(f"/api/uploads/{key}/retry")
        assert (answer.status_code, errors_of(answer)) == (409, refused["error"])
        gate.open()
        await client.terminal_message(key)
        refused = await client.request({"type": "cancel", "instance_id": key})
        assert (refused["type"], list(refused["error"])) == ("Upload.status", ["instance_id"])
        assert "processed" in refused["error"]["instance_id"]
        answer = await http.post(f"/api/uploads/{key}/cancel")
        assert (answer.status_code, errors_of(answer)) == (409, refused["error"])


async def test_rest_cancel_and_retry_send_events_to_the_sockets(alice: Account, gate: ReadingGate) -> None:
    async with alice.client() as client, rest(alice) as http:
        key = (await client.create(scripted_png(lines=["one", "two"], **gate.after(1))))["instance"]["id"]
        await client.receive_until(lambda m: m.get("streamed_text") == "one")
        for _ in range(2):
            answer = await http.post(f"/api/uploads/{key}/cancel")
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert await client.terminal_message(key) == cancelled_message(key)
        gate.open()
        answer = await http.post(f"/api/uploads/{key}/retry")
        assert (answer.status_code, answer.json()["status"]) == (200, "pending")
        updated = await client.receive_until(lambda m: m["type"] == "Upload.updated")
        assert updated["instance"]["status"] == "pending"
        assert (await client.terminal_message(key))["raw_text"] == "one\ntwo"


async def test_correction_before_cancel_stays_the_processed_text(alice: Account, gate: ReadingGate) -> None:
    async with alice.client() as client:
        key = (await client.create(scripted_png(lines=["one"], **gate.after(0))))["instance"]["id"]
        await client.request({"type": "update", "instance_id": key, "data": {"processed_text": "mine"}})
        await client.request({"type": "cancel", "instance_id": key})
        assert (await retrieve(client, key))["processed_text"] == "mine"
