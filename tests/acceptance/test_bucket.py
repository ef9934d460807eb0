"""A server with its files in a bucket: clients see no difference, also after an outage of the bucket."""

from __future__ import annotations

import asyncio
import fcntl
import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.page_images import page_png, scripted_png
from tests.support.problems import errors_of
from tests.support.processes import wait_until
from tests.support.s3 import S3
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server

PREFIX = "acceptance/"
UNAVAILABLE = "storage_unavailable: the file storage does not answer. Try again."


@pytest.fixture(scope="module")
def bucket_server(s3_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("bucket") / "data", STORAGE_URL=s3_server.url(PREFIX))
    server.environment |= s3_server.environment
    yield server.start()
    assert server.stop() == 0
    assert server.unexpected_tracebacks == []


@pytest.fixture
def account(bucket_server: Server) -> Account:
    return Account.create(bucket_server)


@pytest.fixture
def http_client(account: Account) -> Iterator[HttpClient]:
    http_client = HttpClient(account.server, account.mint())
    yield http_client
    http_client.http.close()


def keys_of(s3: S3, upload_id: str) -> set[str]:
    complete = f"{PREFIX}{upload_id}/"
    return {key.removeprefix(complete) for key in s3.keys(complete)}


def delete_local_copies(server: Server) -> None:
    """Delete all local copies; wait for the lock of a reader that still uses one."""
    copies = server.data_dir / "copies"
    for path in copies.iterdir():
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            path.unlink()


async def test_bucket_delete_removes_all_objects_and_local_copies(account: Account, s3: S3) -> None:
    image = scripted_png(lines=["from a bucket"])
    async with account.client() as client:
        instance = (await client.create(image))["instance"]
        end = await client.terminal_message(instance["id"])
        assert (end["status"], end["raw_text"]) == ("processed", "from a bucket")
        assert instance["image_path"] == f"{instance['id']}/original.png"
        assert s3.content(PREFIX + instance["image_path"]) == image
        await client.request({"type": "delete", "instance_id": instance["id"]})
    # The server deletes the file after the commit that sends the reply.
    await asyncio.to_thread(wait_until, lambda: keys_of(s3, instance["id"]) == set(), "the object is deleted")
    directories = [account.server.data_dir / name for name in ("incoming", "copies")]

    def files_left() -> list[str]:
        names = [path.name for directory in directories for path in directory.iterdir()]
        return [name for name in names if instance["id"] in name]

        # The reader releases its copy shortly after it reports the end.

    await asyncio.to_thread(wait_until, lambda: files_left() == [], "no local file of it is left")


def test_bucket_download_serves_whole_files_and_ranges_with_all_headers(
    http_client: HttpClient, s3: S3
) -> None:
    page = page_png(["one line", "another line"])
    path = http_client.read(page)
    complete = http_client.http.get(f"{path}/file")
    assert (complete.status_code, complete.content) == (200, page)
    assert complete.headers["Content-Disposition"] == f'attachment; filename="{path.rsplit("/", 1)[1]}.png"'
    assert complete.headers["X-Content-Type-Options"] == "nosniff"
    part = http_client.http.get(f"{path}/file", headers={"Range": "bytes=10-99"})
    assert (part.status_code, part.content) == (206, page[10:100])
    assert http_client.http.head(f"{path}/file").headers["Content-Length"] == str(len(page))


def test_bucket_page_image_is_rendered_once_and_deleted_with_its_upload(
    http_client: HttpClient, s3: S3
) -> None:
    path = http_client.read(page_png(["one line"]))
    upload_id = path.rsplit("/", 1)[1]
    first = http_client.http.get(f"{path}/pages/1/image", params={"width": 300}).content
    with Image.open(io.BytesIO(first)) as image:
        assert image.width == 400
    assert s3.content(f"{PREFIX}{upload_id}/page-1-400.jpg") == first
    s3.client.put_object(Bucket="scans", Key=f"{PREFIX}{upload_id}/page-1-400.jpg", Body=b"kept")
    assert http_client.http.get(f"{path}/pages/1/image", params={"width": 400}).content == b"kept"
    assert keys_of(s3, upload_id) == {"original.png", "page-1-400.jpg"}
    assert http_client.http.delete(f"{path}/").status_code == 200
    assert keys_of(s3, upload_id) == set()


async def test_bucket_read_without_local_copy_fetches_the_object_once(account: Account, s3: S3) -> None:
    document = scripted_tiff([{"lines": [f"page {number}"]} for number in (1, 2, 3)])
    async with account.client() as client:
        instance = (await client.create(document))["instance"]
        await client.terminal_message(instance["id"])
        await asyncio.to_thread(delete_local_copies, account.server)
        await client.request({"type": "retry", "instance_id": instance["id"]})
        retried = await client.terminal_message(instance["id"])
    assert retried["raw_text"] == "page 1\n\npage 2\n\npage 3"
    assert s3.get_count(PREFIX + instance["image_path"]) == 1


async def test_create_during_bucket_outage_is_an_error_and_the_socket_stays_open(
    account: Account, s3: S3
) -> None:
    image = scripted_png()
    async with account.client() as client, httpx.AsyncClient(base_url=account.server.http) as http:
        headers = {"Authorization": f"Bearer {account.mint()}"}
        before = s3.keys(PREFIX)
        s3.fail()
        reply = await client.create(image)
        assert reply == {"type": "Upload.created", "error": {"image_base64": UNAVAILABLE}}
        posted = await http.post("/api/uploads/", content=image, headers=headers)
        assert (posted.status_code, errors_of(posted)) == (503, {"file": UNAVAILABLE})
        health = await http.get("/readyz")
        assert (health.status_code, health.json()["reasons"]) == (503, ["the storage cannot be written"])
        assert (await client.request({"type": "list"}))["list"] == []
        s3.recover()
        assert s3.keys(PREFIX) == before
        assert list((account.server.data_dir / "incoming").iterdir()) == []
        upload_id = (await client.create(image))["instance"]["id"]
        assert (await client.terminal_message(upload_id))["status"] == "processed"
        assert (await http.get("/readyz")).status_code == 200


def test_download_during_bucket_outage_is_503(http_client: HttpClient, s3: S3) -> None:
    path = http_client.read(page_png(["one line"]))
    s3.fail()
    for end in ("/file", "/pages/1/image"):
        answer = http_client.http.get(path + end)
        assert (answer.status_code, errors_of(answer)) == (503, {"detail": UNAVAILABLE})
    s3.recover()
    assert http_client.http.get(f"{path}/file").status_code == 200


def test_delete_during_bucket_outage_removes_the_row_and_leaves_the_object(
    http_client: HttpClient, s3: S3
) -> None:
    path = http_client.read(scripted_png())
    s3.fail()
    assert http_client.http.delete(f"{path}/").status_code == 200
    assert http_client.http.get(f"{path}/").status_code == 404
    s3.recover()
    assert keys_of(s3, path.rsplit("/", 1)[1]) == {"original.png"}, "maintenance deletes it later"


@pytest.mark.slow
async def test_read_during_bucket_outage_waits_and_finishes_after_recovery(account: Account, s3: S3) -> None:
    async with account.client() as client:
        instance = (await client.create(scripted_png(lines=["in the end"])))["instance"]
        await client.terminal_message(instance["id"])
        await asyncio.to_thread(delete_local_copies, account.server)
        s3.fail("GET")
        client.seen.clear()
        await client.request({"type": "retry", "instance_id": instance["id"]})
        key = PREFIX + instance["image_path"]
        # More requests than one attempt makes: the reader has retried.
        await asyncio.to_thread(wait_until, lambda: s3.get_count(key) > 6, "the reader retries")
        state = (await client.request({"type": "retrieve", "instance_id": instance["id"]}))["instance"]
        assert (state["status"], state["error"]) == ("processing", None)
        s3.recover()
        end = await client.terminal_message(instance["id"])
    assert (end["status"], end["raw_text"]) == ("processed", "in the end")
