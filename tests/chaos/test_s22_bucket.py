"""S22 - the bucket rejects requests, is full or unreachable; the worker has its own machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.conftest import in_thread, retrieve_instance, terminal_statuses_received, wait_for_partial
from tests.chaos.deployment import Deployment
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of
from tests.support.processes import wait_until
from tests.support.redis import Redis
from tests.support.s3 import BUCKET, S3
from tests.support.scripted_documents import Document
from tests.support.worker import Worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PREFIX, PAGES = "s22/", 3
PART_BYTES = 16 * 1024**2
FAILURES = {
    "busy": ("503 Slow Down", "SlowDown", 503, "storage_unavailable"),
    "forbidden": ("403 Forbidden", "AccessDenied", 503, "storage_unavailable"),
    "full": ("507 Insufficient Storage", "XMinioStorageFull", 507, "storage_full"),
    "over its quota": ("403 Forbidden", "QuotaExceeded", 507, "storage_full"),
}


class BucketDeployment(Deployment):
    """A deployment with its files in a bucket; the worker shares no disk with the servers."""

    def __init__(self, directory: Path, redis: Redis, s3: S3) -> None:
        super().__init__(directory, redis, STORAGE_URL=s3.url(PREFIX))
        self._s3, self._worker_directory = s3, directory / "worker"
        for server in self.servers:
            server.environment |= s3.environment

    def stored_ids(self) -> set[str]:
        return {key.removeprefix(PREFIX).partition("/")[0] for key in self._s3.keys(PREFIX)}

    def start_separate_worker(self) -> Worker:
        return self.start_worker(DATA_DIR=str(self._worker_directory))

    def delete_local_copies(self) -> None:
        for path in (self._worker_directory / "copies").iterdir():
            path.unlink()


@pytest.fixture(scope="module")
def deployment(
    s3_server: S3, module_redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BucketDeployment]:
    directory = tmp_path_factory.mktemp("s22")
    deployment = BucketDeployment(directory, module_redis, s3_server)
    deployment.start()
    deployment.start_separate_worker()
    yield deployment
    deployment.stop()


@pytest.fixture
def account(deployment: BucketDeployment) -> Account:
    return Account.create(deployment.servers[0])


def large_png() -> bytes:
    """Return a file of three parts; any bytes may follow the chunks of a PNG."""
    return scripted_png(lines=["large"]) + os.urandom(2 * PART_BYTES + 1000)


def unfinished_uploads(s3: S3) -> list[Any]:
    return s3.client.list_multipart_uploads(Bucket=BUCKET, Prefix=PREFIX).get("Uploads", [])


def post(account: Account, image: bytes) -> httpx.Response:
    headers = {"Authorization": f"Bearer {account.mint()}"}
    return httpx.post(f"{account.server.http}/api/uploads/", content=image, headers=headers, timeout=120)


@pytest.mark.parametrize("failure", FAILURES)
async def test_s22_bucket_rejects_a_part_create_is_an_error_and_leaves_nothing(
    failure: str, deployment: BucketDeployment, account: Account, s3: S3
) -> None:
    status, code, status_code, error = FAILURES[failure]
    large, before = large_png(), s3.keys(PREFIX)
    async with account.client() as client:
        s3.fail("PUT", after=1, status=status, code=code)
        posted = await asyncio.to_thread(post, account, large)
        assert (posted.status_code, errors_of(posted)["file"].partition(":")[0]) == (status_code, error)
        reply = await client.create(scripted_png())
        assert reply["error"]["image_base64"].startswith(error)
        assert (await client.request({"type": "list"}))["list"] == []
        assert (s3.keys(PREFIX), unfinished_uploads(s3)) == (before, [])
        assert list((account.server.data_dir / "incoming").iterdir()) == []
        s3.recover()
        posted = await asyncio.to_thread(post, account, large)
        upload_id = posted.json()["instance"]["id"]
        await client.received(lambda m: m.get("id") == upload_id and m.get("raw_text") == "large")
        await in_thread(deployment.assert_consistent, account, {upload_id: "processed"})


async def test_s22_bucket_outage_during_reading_only_delays_it(
    deployment: BucketDeployment, account: Account, s3: S3, tmp_path: Path
) -> None:
    """The running reading continues; a file that must be fetched waits until the bucket recovers."""
    document = Document(tmp_path, PAGES, {1: 1})
    pending_image = scripted_png(lines=["fetched in the end"])
    async with account.client() as client:
        reading = (await client.create(document.tiff))["instance"]["id"]
        await wait_for_partial(client, reading, "page 1")
        other = (await client.create(pending_image))["instance"]["id"]
        s3.fail()
        document.release_page(1)
        assert (await client.terminal_message(reading))["raw_text"] == document.text
        key = f"{PREFIX}{other}/original.png"
        await in_thread(wait_until, lambda: s3.get_count(key) > 6, "the worker retries")
        state = await retrieve_instance(client, other)
        assert (state["status"], state["error"]) == ("processing", None)
        s3.recover()
        assert (await client.terminal_message(other))["raw_text"] == "fetched in the end"
        for upload_id in (reading, other):
            assert await terminal_statuses_received(client, upload_id) == ["processed"]
        await in_thread(deployment.assert_consistent, account, dict.fromkeys((reading, other), "processed"))


@pytest.mark.parametrize("failure", ["cancel", "delete"])
async def test_s22_upload_waiting_for_the_bucket_can_be_cancelled_or_deleted(
    failure: str, deployment: BucketDeployment, account: Account, s3: S3
) -> None:
    async with account.client() as client:
        s3.fail("GET")
        upload_id = (await client.create(scripted_png(lines=["never read"])))["instance"]["id"]
        key = f"{PREFIX}{upload_id}/original.png"
        await in_thread(wait_until, lambda: s3.get_count(key) > 1, "the worker requests the file")
        await client.request({"type": failure, "instance_id": upload_id})
        s3.recover()
        other = (await client.create(scripted_png(lines=["read"])))["instance"]["id"]
        assert (await client.terminal_message(other))["raw_text"] == "read"
        # The file of the deleted upload is still there; maintenance deletes it later.
        statuses = {other: "processed"} | ({upload_id: "cancelled"} if failure == "cancel" else {})
        await in_thread(deployment.assert_consistent, account, statuses)


async def test_s22_interrupted_download_resumes(
    deployment: BucketDeployment, account: Account, s3: S3
) -> None:
    s3.cut_once_after(PART_BYTES)
    posted = await asyncio.to_thread(post, account, large_png())
    upload_id = posted.json()["instance"]["id"]
    async with account.client() as client:
        state = await retrieve_instance(client, upload_id)
        if state["status"] != "processed":
            await client.terminal_message(upload_id)
    assert s3.get_count(f"{PREFIX}{upload_id}/original.png") == 2
    await in_thread(deployment.assert_consistent, account, {upload_id: "processed"})
