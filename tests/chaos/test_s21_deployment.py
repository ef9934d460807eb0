"""S21 - the database ends connections or restarts below a scaled deployment: every upload is read once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.chaos.conftest import (
    create_until_accepted,
    in_thread,
    terminal_statuses_received,
    wait_for_partial,
)
from tests.chaos.deployment import Deployment
from tests.support import postgresql
from tests.support.accounts import Account
from tests.support.event_recorder import recording
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.websocket_client import WebSocketClient

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGES, DOCUMENTS, ROUNDS = 12, 3, 6


@pytest.fixture(scope="module")
def database() -> Iterator[postgresql.PostgreSQL]:
    """A PostgreSQL for these tests only."""
    database = postgresql.PostgreSQL()
    yield database
    with suppress(Exception):
        database.stop()


@pytest.fixture(scope="module")
def deployment(
    database: postgresql.PostgreSQL, module_redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("database")
    url = database.url
    deployment = Deployment(directory, module_redis, database=url).start()
    for _ in range(2):
        deployment.start_worker("--concurrency", "2")
    yield deployment
    deployment.stop()


def create_documents(parent: Path) -> list[Document]:
    """Create documents that pause in two of their ranges, so that several readers work on each."""
    directories = [parent / str(number) for number in range(DOCUMENTS)]
    for directory in directories:
        directory.mkdir()
    return [Document(directory, PAGES, {2: 1, 5: 1}) for directory in directories]


async def test_s21_readers_with_ended_connections_read_each_document_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    account = Account.create(deployment.servers[0])
    documents = create_documents(tmp_path)
    other_client = WebSocketClient(deployment.servers[1].url(token=account.mint()))
    async with (
        account.client() as client,
        other_client,
        recording(account, deployment.servers[1].port) as recorder,
    ):
        ids = [(await client.create(document.tiff))["instance"]["id"] for document in documents]
        paused = documents[0].text_up_to(2)
        # It may have come before the reply to the last create.
        await client.received(lambda m: m.get("id") == ids[0] and m.get("streamed_text") == paused)
        with postgresql.connections_terminated_repeatedly(deployment.servers[0].database_url) as terminated:
            for document in documents:
                document.release_page(2)
            small = [scripted_png(lines=[f"meanwhile {n}"]) for n in range(6)]
            more = [(await create_until_accepted(client, image))["instance"]["id"] for image in small]
            await in_thread(wait_until, lambda: len(terminated) > ROUNDS, "connections have texts often")
            for document in documents:
                document.release_page(5)
            for upload_id in [*ids, *more]:
                await other_client.received(lambda m, key=upload_id: m.get("id") == key and "raw_text" in m)
        for upload_id in [*ids, *more]:
            assert await terminal_statuses_received(other_client, upload_id) == ["processed"]
        await in_thread(deployment.assert_consistent, account, dict.fromkeys([*ids, *more], "processed"))
        await deployment.assert_received_log(account, recorder)
    texts = {m["id"]: m["raw_text"] for m in other_client.seen if m.get("status") == "processed"}
    assert [texts[upload_id] for upload_id in ids] == [document.text for document in documents]


async def test_s21_database_restart_during_a_document_loses_no_page_and_no_socket(
    database: postgresql.PostgreSQL, deployment: Deployment, tmp_path: Path
) -> None:
    account = Account.create(deployment.servers[0])
    document = Document(tmp_path, PAGES, {2: 1, 5: 1})
    pending_image = scripted_png(lines=["sent before"])
    async with account.client() as client, recording(account, deployment.servers[1].port) as recorder:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, upload_id, document.text_up_to(2))
        await in_thread(wait_until, lambda: 5 in document.pages_read, "another worker reads ahead")
        await in_thread(database.stop)
        assert list((await client.create(pending_image))["error"]) == ["server"]
        for server in deployment.servers:
            ready = await asyncio.to_thread(httpx.get, f"{server.http}/readyz", timeout=60)
            assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database does not answer"])
        document.release_page(2)
        document.release_page(5)
        await in_thread(database.start)
        other = (await create_until_accepted(client, pending_image))["instance"]["id"]
        for key, text in ((upload_id, document.text), (other, "sent before")):
            end = await client.received(lambda m, key=key: m.get("id") == key and "raw_text" in m)
            assert end["raw_text"] == text
            assert await terminal_statuses_received(client, key) == ["processed"]
        await in_thread(deployment.assert_consistent, account, dict.fromkeys((upload_id, other), "processed"))
        await deployment.assert_received_log(account, recorder)
    assert set(document.pages_read) == set(range(1, PAGES + 1))
