"""Read options of create and retry: engine, languages, pages, profile, furniture, formulas, priority."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.accounts import Account
from tests.support.message_checks import (
    INSTANCE_KEYS,
    PARTIAL_KEYS,
    PROCESSED_KEYS,
    assert_no_more_messages,
    partial_texts,
    receive_terminal,
    upload_ids,
)
from tests.support.page_images import lines_of_text, page_png, scripted_png
from tests.support.problems import errors_of
from tests.support.processes import wait_until
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server
from tests.support.vision_server import Reply, VisionServer
from tests.support.websocket_client import Message, WebSocketClient

KEY = "sk-canary-84c1e7"


async def create_errors(client: WebSocketClient, **data: Any) -> Message:
    image = base64.b64encode(scripted_png()).decode()
    reply = await client.request({"type": "create", "data": {"image_base64": image, **data}})
    assert reply.keys() == {"type", "error"}
    assert reply["type"] == "Upload.created"
    errors: Message = reply["error"]
    return errors


async def test_create_with_unknown_engine_is_an_error_that_lists_the_known(alice: Account) -> None:
    async with alice.client() as client:
        errors = await create_errors(client, engine="magic")
        assert errors.keys() == {"engine"}
        assert "rapid" in errors["engine"]
        assert "tesseract" in errors["engine"]
        assert await upload_ids(client) == []
        await assert_no_more_messages(client)


async def test_create_with_unconfigured_engine_names_the_missing_setting(alice: Account) -> None:
    async with alice.client() as client:
        errors = await create_errors(client, engine="vision")
        assert errors.keys() == {"engine"}
        assert "is not available here" in errors["engine"]
        assert "SCANRILL_VISION_URL" in errors["engine"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"engine": "rapid", "languages": ["ru"]}, "languages"),
        ({"engine": "rapid", "profile": "none-such"}, "profile"),
        ({"pages": "3-1"}, "pages"),
        ({"pages": 3}, "pages"),
        ({"languages": "de"}, "languages"),
        ({"languages": ["de"] * 11}, "languages"),
        ({"engine": ""}, "engine"),
        ({"engine": 7}, "engine"),
        ({"profile": ["fast"]}, "profile"),
        ({"furniture": "some"}, "furniture"),
        ({"furniture": ["keep"]}, "furniture"),
        ({"formulas": "latex"}, "formulas"),
        ({"formulas": True}, "formulas"),
        ({"barcodes": "true"}, "barcodes"),
        ({"barcodes": 1}, "barcodes"),
        ({"priority": "now"}, "priority"),
    ],
    ids=str,
)
async def test_create_with_invalid_option_is_an_error_on_its_field(
    alice: Account, options: dict[str, Any], field: str
) -> None:
    async with alice.client() as client:
        errors = await create_errors(client, **options)
        assert errors.keys() == {field}
        assert await upload_ids(client) == []


async def test_create_with_null_options_uses_the_defaults(alice: Account) -> None:
    async with alice.client() as client:
        image = scripted_png(lines=["a"])
        created = await client.create(image, engine=None, languages=None, pages=None, profile=None)
        assert (await receive_terminal(client, created["instance"]["id"]))["raw_text"] == "a"


async def test_create_with_pages_reads_only_those_and_sends_specified_messages(
    alice: Account,
) -> None:
    tiff = scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 6)])
    async with alice.client() as client:
        created = await client.create(tiff, pages="2,4-", languages=["eng"], engine="dummy")
        instance = created["instance"]
        assert instance.keys() == INSTANCE_KEYS
        assert (instance["engine"], instance["languages"]) == ("dummy", ["en"])
        end = await receive_terminal(client, instance["id"])
        assert end.keys() == PROCESSED_KEYS
        assert end["raw_text"] == "page 2\n\npage 4\n\npage 5"
        received = [m for m in client.seen if m.get("id") == instance["id"] and m["status"] == "processing"]
        assert all(message.keys() == PARTIAL_KEYS for message in received)
        reply = await client.request({"type": "retrieve", "instance_id": instance["id"]})
        assert (reply["instance"]["page_count"], reply["instance"]["pages_done"]) == (5, 3)


async def test_create_with_only_missing_pages_ends_in_error(alice: Account) -> None:
    async with alice.client() as client:
        created = await client.create(scripted_png(), pages="7")
        end = await receive_terminal(client, created["instance"]["id"])
        assert end["error"] == "The file has one page; page 7 is not among them."


async def test_create_with_some_missing_pages_adds_a_warning(alice: Account) -> None:
    tiff = scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 4)])
    async with alice.client() as client:
        key = (await client.create(tiff, pages="2,5-6"))["instance"]["id"]
        assert (await receive_terminal(client, key))["raw_text"] == "page 2"
        reply = await client.request({"type": "retrieve", "instance_id": key})
        assert reply["instance"]["warnings"] == ["Pages 5-6 were requested; the file has 3 pages."]


async def test_retry_with_pages_reads_only_those_and_keeps_the_others(
    alice: Account,
) -> None:
    tiff = scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 4)])
    async with alice.client() as client:
        key = (await client.create(tiff, pages="1,3"))["instance"]["id"]
        await receive_terminal(client, key)
        reply = await client.request({"type": "retry", "instance_id": key, "pages": "2"})
        assert reply["instance"]["raw_text"] == "page 1\n\npage 3"
        assert (reply["instance"]["pages_done"], reply["instance"]["page_count"]) == (2, 3)
        before = len(partial_texts(client, key))
        assert (await client.terminal_message(key))["raw_text"] == "page 1\n\npage 2\n\npage 3"
        assert all("page 1" in text and "page 3" in text for text in partial_texts(client, key)[before:])
        await client.request({"type": "retry", "instance_id": key})
        assert (await client.terminal_message(key))["raw_text"] == "page 1\n\npage 2\n\npage 3"


def test_post_takes_read_options_from_its_query(alice: Account) -> None:
    http = httpx.Client(base_url=alice.server.http, headers={"Authorization": f"Bearer {alice.mint()}"})
    tiff = scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 4)])
    with http:
        options = {"engine": "dummy", "languages": "en, eng", "pages": "3", "filename": "three.tiff"}
        answer = http.post("/api/uploads/", params=options, content=tiff)
        assert answer.status_code == 201
        instance = answer.json()["instance"]
        assert (instance["engine"], instance["languages"], instance["filename"]) == (
            "dummy",
            ["en"],
            "three.tiff",
        )
        path = f"/api/uploads/{instance['id']}/"
        wait_until(lambda: http.get(path).json()["status"] == "processed", "the file is read")
        assert http.get(path).json()["raw_text"] == "page 3"
        wrong = {
            "engine": "magic",
            "languages": "xx",
            "pages": "0",
            "profile": "x",
            "furniture": "x",
            "formulas": "x",
            "barcodes": "yes",
            "priority": "x",
        }
        for name, value in wrong.items():
            answer = http.post("/api/uploads/", params={name: value}, content=scripted_png())
            assert answer.status_code == 400
            assert list(errors_of(answer)) == [name]


@pytest.mark.parametrize("inside", [True, False], ids=["in data", "beside"])
async def test_retry_accepts_read_options(alice: Account, inside: bool) -> None:
    tiff = scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 4)])
    async with alice.client() as client:
        key = (await client.create(tiff))["instance"]["id"]
        await receive_terminal(client, key)
        options = {"pages": "2", "engine": "dummy", "languages": ["en"]}
        request = {"type": "retry", "instance_id": key} | ({"data": options} if inside else options)
        reply = await client.request(request)
        assert reply["type"] == "Upload.updated"
        assert (reply["instance"]["status"], reply["instance"]["languages"]) == ("pending", ["en"])
        # The other pages keep their text, so the text is complete again.
        assert (await client.terminal_message(key))["raw_text"] == "page 1\n\npage 2\n\npage 3"
        refused = await client.request({"type": "retry", "instance_id": key, "data": {"engine": "magic"}})
        assert list(refused["error"]) == ["engine"]


def test_retry_over_http_accepts_read_options(alice: Account) -> None:
    http = httpx.Client(base_url=alice.server.http, headers={"Authorization": f"Bearer {alice.mint()}"})
    tiff = scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 4)])
    with http:
        path = f"/api/uploads/{http.post('/api/uploads/', content=tiff).json()['instance']['id']}/"
        wait_until(lambda: http.get(path).json()["status"] == "processed", "the file is read")
        answer = http.post(f"{path}retry", json={"pages": "3"})
        assert (answer.status_code, answer.json()["status"]) == (200, "pending")
        wait_until(lambda: http.get(path).json()["status"] == "processed", "the file is read")
        assert http.get(path).json()["raw_text"] == "page 1\n\npage 2\n\npage 3"
        assert http.post(f"{path}retry", json={"engine": "magic"}).status_code == 400
        refused = http.post(f"{path}retry", json={"pages": "4-"})
        assert errors_of(refused) == {"pages": "The file has 3 pages; pages 4- are not among them."}
        assert http.post(f"{path}retry").status_code == 200


# ── a vision model behind an endpoint, and several engines in one server ──


@pytest.fixture(scope="module")
def endpoint() -> Iterator[VisionServer]:
    endpoint = VisionServer()
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def vision_enabled_server(
    endpoint: VisionServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with the vision endpoint, and `dummy` as its default engine."""
    settings = {"VISION_URL": endpoint.url, "VISION_MODEL": "test-vl", "VISION_API_KEY": KEY}
    server = Server(
        tmp_path_factory.mktemp("vision_enabled_server") / "data",
        ENGINE="dummy",
        VISION_FALLBACK="",
        **settings,
    )
    yield server.start()
    assert server.stop() == 0
    assert KEY not in server.log


async def test_vision_model_text_streams_while_it_is_generated(
    vision_enabled_server: Server, endpoint: VisionServer
) -> None:
    words = lines_of_text(6, seed=7)
    async with Account.create(vision_enabled_server).client() as client:
        created = await client.create(page_png(words), engine="vision", profile="deepseek-ocr")
        assert created["instance"]["engine"] == "vision"
        end = await receive_terminal(client, created["instance"]["id"])
        assert end["raw_text"].split() == " ".join(words).split()
        texts = partial_texts(client, created["instance"]["id"])
        assert texts[0] == ""
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
        assert endpoint.keys == [f"Bearer {KEY}"]
        assert endpoint.requests[0]["messages"][0]["content"][1]["text"] == "Free OCR."


async def test_one_server_reads_with_several_engines(vision_enabled_server: Server) -> None:
    words = lines_of_text(4, seed=8)
    async with Account.create(vision_enabled_server).client() as client:
        ids = []
        for number, engine in enumerate(("dummy", "vision", "dummy")):
            image = page_png([*words, str(number)]) if engine == "vision" else scripted_png(lines=["script"])
            ids.append((await client.create(image, engine=engine))["instance"]["id"])
        for upload_id in ids:
            await receive_terminal(client, upload_id)
        ended = {m["id"]: m["raw_text"] for m in client.seen if m.get("status") == "processed"}
        assert ended[ids[0]] == ended[ids[2]] == "script"
        assert ended[ids[1]].split()[:4] == words[0].split()[:4]


async def test_vision_endpoint_failure_ends_in_error_without_the_api_key(
    vision_enabled_server: Server, endpoint: VisionServer
) -> None:
    endpoint.replies = [Reply(status=401, body=f'{{"error": "no such key {KEY}"}}')]
    async with Account.create(vision_enabled_server).client() as client:
        created = await client.create(page_png(["refused"]), engine="vision")
        end = await receive_terminal(client, created["instance"]["id"])
        assert end["status"] == "error"
        assert end["error"] == "Page 1 could not be read: the model rejected the key (HTTP 401)."
    assert "(key)" in vision_enabled_server.log
