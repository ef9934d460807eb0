"""REST: the response of an export, its turns, and its end when the client goes."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application

from backend_main.core.auth import authentication
from backend_main.core.exports import formats
from backend_main.core.exports.document import ExportDocument
from backend_main.core.fair_sharing import FairSemaphore
from backend_main.core.models import Page, Status, Upload, User
from backend_main.core.runtime import MAX_EXPORTS_PER_USER, STATE_KEY
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db(transaction=True)
NAME = 'Müller "2024"/\u202e.pdf'


class ExportScript:
    """Writer that a test controls, in place of the one for Markdown."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.closed = threading.Event()
        self.may_go_on = threading.Event()

    def write(self, document: ExportDocument) -> Iterator[bytes]:
        self.started.append(document.filename)
        try:
            yield b"chunk"
            while not self.may_go_on.is_set():
                yield b""  # a step without bytes, after which another export has its turn
        finally:
            self.closed.set()


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ExportScript:
    script = ExportScript()
    monkeypatch.setitem(formats.FORMATS, "md", formats.FORMATS["md"]._replace(write=script.write))
    return script


@pytest.fixture
def exports() -> FairSemaphore:
    """Return the places of exports of the process."""
    return FairSemaphore(None, MAX_EXPORTS_PER_USER)


Open = Callable[..., ApplicationCommunicator]


@pytest.fixture
async def upload() -> Upload:
    return await sync_to_async(finished_upload)(await sync_to_async(new_user)())


def finished_upload(owner: User) -> Upload:
    upload = new_upload(owner)
    Page.objects.create(upload=upload, attempt=1, number=1, width=9, height=9, markdown="text", text="text")
    upload.status, upload.filename, upload.page_count = Status.PROCESSED, NAME, 1
    upload.save()
    return upload


@pytest.fixture
def request_export(exports: FairSemaphore) -> Open:
    async def request(upload: Upload, query: str = "", path: str = "", method: str = "GET") -> Any:
        token = authentication.issue_access_token(upload.owner, dt.timedelta(hours=1))
        scope = {
            "type": "http",
            "method": method,
            "path": path or f"/api/uploads/{upload.pk}/export",
            "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode()), (b"host", b"localhost")],
            "state": {STATE_KEY: SimpleNamespace(exports=exports, page_images=None)},
        }
        communicator = ApplicationCommunicator(get_asgi_application(), scope)
        await communicator.send_input({"type": "http.request", "body": b""})
        return communicator

    return request


async def response_of(communicator: ApplicationCommunicator) -> tuple[int, dict[str, str], bytes]:
    start = await communicator.receive_output(60)
    body, has_more = b"", True
    while has_more:
        part = await communicator.receive_output(60)
        body, has_more = body + part.get("body", b""), part.get("more_body", False)
    await communicator.wait(60)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, body


async def test_export_response_has_a_name_and_a_type(request_export: Open, upload: Upload) -> None:
    status, headers, body = await response_of(await request_export(upload, "format=txt"))
    assert (status, body) == (200, b"text\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Content-Disposition"] == (
        "attachment; filename*=utf-8''%E2%80%AE.txt"  # the name is not a path
    )


async def test_export_head_has_the_headers_alone(request_export: Open, upload: Upload) -> None:
    status, headers, body = await response_of(await request_export(upload, "format=docx", method="HEAD"))
    assert (status, body) == (200, b"")
    assert headers["Content-Type"] == formats.FORMATS["docx"].media_type


@pytest.mark.parametrize(
    ("query", "field"),
    [("format=x", "format"), ("pages=2", "pages"), ("format=csv", "format")],
)
async def test_export_error_is_a_response_of_its_own(
    request_export: Open, upload: Upload, exports: FairSemaphore, query: str, field: str
) -> None:
    status, _, body = await response_of(await request_export(upload, query))
    assert (status, json.loads(body)["errors"].keys()) == (400, {field})
    assert not exports._held


async def test_s33_export_ends_when_the_client_goes(
    request_export: Open, upload: Upload, exports: FairSemaphore, script: ExportScript
) -> None:
    communicator = await request_export(upload)
    assert (await communicator.receive_output(60))["status"] == 200
    assert (await communicator.receive_output(60))["body"] == b"chunk"
    assert exports._held[upload.owner_id] == 1
    await communicator.send_input({"type": "http.disconnect"})
    await communicator.wait(60)
    assert await asyncio.to_thread(script.closed.wait, 60)
    assert not exports._held


async def test_s33_export_waits_while_its_user_has_others_open(
    request_export: Open, upload: Upload, script: ExportScript
) -> None:
    first = [await request_export(upload) for _ in range(MAX_EXPORTS_PER_USER)]
    for communicator in first:
        await communicator.receive_output(60)
    waiting = await request_export(upload)
    other = await request_export(await sync_to_async(finished_upload)(await sync_to_async(new_user)()))
    await other.receive_output(60)
    assert len(script.started) == MAX_EXPORTS_PER_USER + 1, "another user does not wait"
    await first[0].send_input({"type": "http.disconnect"})
    await waiting.receive_output(60)
    assert len(script.started) == MAX_EXPORTS_PER_USER + 2
    script.may_go_on.set()
    for communicator in (*first, waiting, other):
        await communicator.wait(60)


async def test_archive_of_many_uploads(request_export: Open, upload: Upload) -> None:
    query = f"ids={upload.pk},%20{upload.pk}&format=txt"
    status, headers, body = await response_of(await request_export(upload, query, "/api/export"))
    assert (status, body[:2]) == (200, b"PK")
    assert headers["Content-Disposition"] == 'attachment; filename="scanrill-export.zip"'


@pytest.mark.parametrize("ids", ["", "x", ",".join(["00000000-0000-0000-0000-000000000000"] * 2) + ",y"])
async def test_archive_ids_that_are_not_ids_are_an_error(
    request_export: Open, upload: Upload, ids: str
) -> None:
    status, _, body = await response_of(await request_export(upload, f"ids={ids}", "/api/export"))
    assert (status, json.loads(body)["errors"].keys()) == (400, {"ids"})


async def test_archive_with_one_unknown_id_is_not_found(request_export: Open, upload: Upload) -> None:
    query = f"ids={upload.pk},00000000-0000-0000-0000-000000000000"
    status, _, body = await response_of(await request_export(upload, query, "/api/export"))
    assert (status, b"instance_id" in body) == (404, True)
