"""Binary file objects as the file to upload, over a real server."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from scanrill_client import AsyncClient, Client
from scanrill_client.upload_file import CHUNK_BYTES, MAX_SPOOL_BYTES, UploadFile

from tests.chaos.proxy import Proxy
from tests.clients.conftest import MakeClient
from tests.support.accounts import Account
from tests.support.page_images import scripted_png

IMAGE = scripted_png(lines=["one"])


class RecordingFile(io.BytesIO):
    """Seekable file that records the size of each `read`."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.read_sizes: list[int | None] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.read_sizes.append(size)
        return super().read(size)


class Pipe:
    """File object that has `read` only, and returns few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._content.read(min(size, 1000))


@pytest.fixture(params=["rest", "socket"])
def client(request: pytest.FixtureRequest, ada: Account, make_client: MakeClient) -> AsyncClient:
    return make_client(ada, transport=request.param)


async def test_read_file_object_returns_the_text_and_leaves_it_open(
    client: AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "receipt.png").write_bytes(IMAGE)
    with open(tmp_path / "receipt.png", "rb") as file:
        assert await client.read(file) == "one"
        assert not file.closed
    [upload] = (await client.list()).uploads
    assert (upload.filename, upload.bytes) == ("receipt.png", len(IMAGE))


async def test_read_bytes_io_and_pipe_return_the_text(client: AsyncClient) -> None:
    for file in (io.BytesIO(IMAGE), Pipe(IMAGE)):
        assert await client.read(file, filename="scan.png") == "one"
    [upload] = (await client.list()).uploads
    assert (upload.filename, upload.bytes) == ("scan.png", len(IMAGE))


async def test_create_file_object_is_sent_from_its_position(client: AsyncClient) -> None:
    file = io.BytesIO(b"header" + IMAGE)
    file.seek(6)
    assert (await client.create(file)).instance.bytes == len(IMAGE)
    file.seek(6)
    assert (await client.create(file)).duplicate


async def test_create_pipe_of_a_process_and_path_of_a_pipe(client: AsyncClient, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as file, open(write_end, "wb") as writer:
        writer.write(IMAGE)
        writer.close()
        assert (await client.create(file)).instance.bytes == len(IMAGE)
    read_end, write_end = os.pipe()
    with open(read_end, "rb"), open(write_end, "wb") as writer:
        writer.write(IMAGE)
        writer.close()
        assert (await client.create(f"/dev/fd/{read_end}")).duplicate


async def test_create_member_of_an_archive_has_its_name(client: AsyncClient) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("scans/member.png", IMAGE)
    with zipfile.ZipFile(archive).open("scans/member.png") as member:
        created = await client.create(member)
    assert (created.instance.filename, created.instance.bytes) == ("member.png", len(IMAGE))


@pytest.mark.parametrize("is_seekable", [True, False])
async def test_read_file_object_after_a_cut_request_sends_all_of_it_again(
    ada: Account, make_client: MakeClient, proxy: Proxy, is_seekable: bool
) -> None:
    image = IMAGE + bytes(3_000_000)
    file: Any = io.BytesIO(b"header" + image)
    file.seek(6)
    proxy.to_server.cut_after(1_000_000)
    assert await make_client(ada, proxy).read(file if is_seekable else Pipe(image)) == "one"
    [upload] = (await make_client(ada).list()).uploads
    assert upload.bytes == len(image)


async def test_create_file_object_after_a_rejected_token_sends_all_of_it_again(
    ada: Account, make_client: MakeClient
) -> None:
    for file in (io.BytesIO(IMAGE), Pipe(IMAGE)):
        tokens = iter([ada.mint(key="another key, which is as long as it should be"), ada.mint()])
        created = await make_client(ada, token=lambda tokens=tokens: next(tokens)).create(file)
        assert created.instance.bytes == len(IMAGE)


async def test_create_seekable_file_object_is_streamed_over_rest(
    ada: Account, make_client: MakeClient
) -> None:
    file = RecordingFile(IMAGE + bytes(3 * CHUNK_BYTES))
    await make_client(ada).create(file)
    assert len(file.read_sizes) >= 4
    assert set(file.read_sizes) <= {0, CHUNK_BYTES}


async def test_create_large_pipe_is_spooled_to_disk(ada: Account, make_client: MakeClient) -> None:
    image = IMAGE + bytes(MAX_SPOOL_BYTES)
    assert (await make_client(ada).create(Pipe(image))).instance.bytes == len(image)


async def test_create_file_in_text_mode_raises_type_error(client: AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("text")
    with open(tmp_path / "text.txt") as file, tempfile.NamedTemporaryFile("w+") as wrapped:
        for source in (file, io.StringIO("text"), wrapped):
            for call in (client.create, client.read):
                with pytest.raises(TypeError, match="binary mode"):
                    await call(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 7, bytearray(b"a"), object()])
async def test_create_object_of_another_type_raises_type_error(client: AsyncClient, source: Any) -> None:
    with pytest.raises(TypeError, match=f"type {type(source).__name__}"):
        await client.create(source)


def test_sync_client_reads_file_objects(ada: Account) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        assert client.read(io.BytesIO(IMAGE)) == "one"
        assert [type(event).__name__ for event in client.upload(Pipe(IMAGE))] == ["Created", "Finished"]
        assert client.create(io.BytesIO(IMAGE)).duplicate


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ("scans/a.png", "a.png"),
        (b"scans/a.png", "a.png"),
        (Path("scans/a.png"), "a.png"),
        ("<stdin>", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_upload_file_name_of_a_file_object(name: Any, filename: str | None) -> None:
    file = io.BytesIO()
    file.name = name
    assert UploadFile(file).filename == filename
    assert UploadFile(file, "given.png").filename == "given.png"


async def test_upload_file_closes_what_it_has_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(IMAGE)
    for source in (tmp_path / "a.png", IMAGE, Pipe(IMAGE)):
        with UploadFile(source) as upload_file:
            assert await upload_file.size() == len(IMAGE)
            for _ in range(2):
                assert b"".join([chunk async for chunk in upload_file.chunks()]) == IMAGE
        assert upload_file._file is not None
        assert upload_file._file.closed
