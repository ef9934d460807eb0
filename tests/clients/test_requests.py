"""Requests of the client over both transports, with a real server."""

from __future__ import annotations

import inspect
import zipfile
from contextlib import aclosing
from pathlib import Path

import pytest
from scanrill_client import AsyncClient, Client, Finished, NotFound, ReadOptions, RequestError

from tests.clients.conftest import MakeClient, ReadingGate, next_event
from tests.clients.fake_server import FakeServerConnection, fake_http_server, fake_websocket_server
from tests.clients.sample_messages import change_message, instance, subscribed_message
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import Document

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=["rest", "socket"])
def client(request: pytest.FixtureRequest, ada: Account, make_client: MakeClient) -> AsyncClient:
    return make_client(ada, transport=request.param)


async def test_list_retrieve_update_and_delete_an_upload(client: AsyncClient) -> None:
    text = await client.read(scripted_png(lines=["one", "two"]), filename="scan.png")
    [listed] = (await client.list()).uploads
    assert listed.raw_text is None
    instance = await client.retrieve(listed.id)
    assert (instance.filename, instance.status, instance.raw_text) == ("scan.png", "processed", text)
    changed = await client.update(
        instance.id, filename="other.png", metadata={"box": [1, None]}, processed_text="Mine"
    )
    assert (changed.filename, changed.metadata, changed.processed_text) == (
        "other.png",
        {"box": [1, None]},
        "Mine",
    )
    assert (await client.update(instance.id, processed_text=None)).processed_text == "one two"
    assert (await client.delete(instance.id)).filename == "other.png"
    assert (await client.list()).uploads == ()


async def test_list_filters_and_pages(client: AsyncClient) -> None:
    for name in ("a.png", "b.png", "c.png"):
        await client.read(scripted_png(lines=[name]), filename=name)
    assert [each.filename for each in (await client.list(search="b.png")).uploads] == ["b.png"]
    assert (await client.list(status="error")).uploads == ()
    first = await client.list(limit=2)
    second = await client.list(limit=2, cursor=first.next)
    assert [each.filename for each in (*first.uploads, *second.uploads)] == ["c.png", "b.png", "a.png"]
    assert second.next is None


async def test_search_finds_a_page_with_its_lines(client: AsyncClient) -> None:
    for name in ("a.png", "b.png"):
        await client.read(scripted_png(lines=["Grüße aus", name]), filename=name)
    results = await client.search("grusse", limit=1)
    [hit] = results.hits
    assert (hit.upload.filename, hit.field, hit.page, results.complete) == ("b.png", "page", 1, True)
    assert [hit.snippet.text[start:end] for start, end in hit.snippet.marks] == ["Grüße"]
    assert [(line.line, line.marks) for line in hit.lines] == [(0, ((0, 5),))]
    [older] = (await client.search("grusse", limit=1, cursor=results.next)).hits
    assert older.upload.filename == "a.png"
    with pytest.raises(RequestError) as raised:
        await client.search("-without")
    assert list(raised.value.fields) == ["q"]


async def test_cancel_and_retry_an_upload(client: AsyncClient, gate: ReadingGate) -> None:
    created = await client.create(scripted_png(lines=["one"], **gate.after(0)))
    assert (created.duplicate, created.instance.status) == (False, "pending")
    cancelled = await client.cancel(created.upload_id)
    assert (cancelled.status, cancelled.error, cancelled.is_terminal) == ("cancelled", "Cancelled", True)
    retried = await client.retry(created.upload_id)
    assert (retried.status, retried.is_terminal) == ("pending", False)
    with pytest.raises(RequestError) as raised:
        await client.retry(created.upload_id)
    assert list(raised.value.fields) == ["instance_id"]
    gate.open()


@pytest.mark.parametrize("upload_id", [UNKNOWN, "not-an-id", "../token"])
async def test_unknown_upload_id_raises_not_found(client: AsyncClient, upload_id: str) -> None:
    for call in (client.retrieve, client.delete):
        with pytest.raises(NotFound):
            await call(upload_id)
    with pytest.raises(NotFound):
        await client.update(upload_id, filename="a.png")
    for call in (client.cancel, client.retry):
        with pytest.raises(RequestError):
            await call(upload_id)


async def test_update_with_an_invalid_field_names_the_field(client: AsyncClient) -> None:
    created = await client.create(scripted_png())
    with pytest.raises(RequestError) as raised:
        await client.update(created.upload_id, filename="a/b")
    assert list(raised.value.fields) == ["filename"]


async def test_read_options_of_read_and_retry(client: AsyncClient, tmp_path: Path) -> None:
    document = Document(tmp_path, 4)
    tiff = document.tiff
    assert await client.read(tiff, pages="2,4-", languages=["eng", "en"]) == "page 2\n\npage 4"
    [upload] = (await client.list()).uploads
    assert (upload.engine, upload.languages) == ("dummy", ("en",))
    async with aclosing(client.events()) as events:
        await anext(events)
        await client.retry(upload.id, pages="3", engine="dummy")
        assert (await next_event(events, Finished)).result() == "page 2\n\npage 3\n\npage 4"
    assert (await client.retrieve(upload.id)).languages == ("en",), "options that are not given stay"
    assert await client.read(tiff, pages="2-4") == "page 2\n\npage 3\n\npage 4"
    assert await client.read(tiff) == document.text, "pages that are not given are all pages"
    assert (await client.retrieve(upload.id)).languages == ()


INVALID_OPTIONS: dict[str, ReadOptions] = {
    "engine": {"engine": "magic"},
    "languages": {"languages": ["xx"]},
    "pages": {"pages": "3-1"},
    "profile": {"engine": "rapid", "profile": "none-such"},
    "furniture": {"furniture": "some"},  # type: ignore[typeddict-item] # the server must reject it
    "formulas": {"formulas": "some"},  # type: ignore[typeddict-item] # the server must reject it
    "barcodes": {"barcodes": "some"},  # type: ignore[typeddict-item] # the server must reject it
    "priority": {"priority": "now"},  # type: ignore[typeddict-item] # the server must reject it
}


@pytest.mark.parametrize("field", INVALID_OPTIONS)
async def test_invalid_read_option_names_the_field(client: AsyncClient, field: str) -> None:
    options = INVALID_OPTIONS[field]
    await client.read(scripted_png())
    [upload] = (await client.list()).uploads
    for call in (
        client.create(scripted_png(), **options),
        client.read(scripted_png(), **options),
        client.retry(upload.id, **options),
    ):
        with pytest.raises(RequestError) as raised:
            await call
        assert list(raised.value.fields) == [field]
    assert len((await client.list()).uploads) == 1


async def test_unknown_read_option_raises_type_error(client: AsyncClient) -> None:
    for call in (client.create(scripted_png(), langauges=["de"]), client.retry(UNKNOWN, page="1")):  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            await call


async def test_absent_read_options_are_not_in_socket_messages() -> None:
    received = []

    async def server(client: FakeServerConnection) -> None:
        await client.receive()
        await client.send(subscribed_message(cursor="7:0"))
        while True:
            request = await client.receive()
            received.append(request)
            await client.send(change_message("updated", instance("a"), ref=request["ref"]))

    async with (
        fake_websocket_server(server) as url,
        AsyncClient(url, token="a-token", transport="socket") as client,
    ):
        await client.create(b"a")
        await client.retry("a")
        await client.retry("a", engine=None, pages=None)
        await client.retry("a", pages="1")
    assert received[0]["data"].keys() == {"image_base64", "on_duplicate"}
    assert [message.keys() - {"type", "instance_id", "ref"} for message in received[1:3]] == [set(), set()]
    assert received[3]["data"] == {"pages": "1"}


async def test_absent_read_options_are_not_in_rest_requests() -> None:
    rejection = b'{"detail": "No.", "code": "invalid_request"}'
    response = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(rejection), rejection)
    async with fake_http_server(response) as (url, heads), AsyncClient(url, token="a-token") as client:
        for call in (
            client.create(b"a", filename="a.png"),
            client.create(b"a", languages=["de", "en"], pages="1"),
            client.retry(UNKNOWN),
        ):
            with pytest.raises(RequestError):
                await call
    lines = [head.split(b" HTTP/")[0] for head in heads]
    assert lines[0] == b"POST /api/uploads/?filename=a.png"
    assert lines[1] == b"POST /api/uploads/?languages=de%2Cen&pages=1"
    assert b"content-length: 0" in heads[2].lower()


async def test_engines_lists_installed_and_unavailable_engines(ada: Account, make_client: MakeClient) -> None:
    engines = await make_client(ada).engines()
    by_name = {engine.name: engine for engine in engines.engines}
    assert engines.default == "dummy"
    dummy = by_name["dummy"]
    assert (dummy.installed, dummy.unavailable_reason, dummy.languages) == (True, None, ("en",))
    assert dummy.is_test_engine
    assert "de" in by_name["rapid"].languages
    assert "SCANRILL_VISION_URL" in (by_name["vision"].unavailable_reason or "")


async def test_page_page_image_original_and_download(
    ada: Account, make_client: MakeClient, tmp_path: Path
) -> None:
    client, document = make_client(ada), Document(tmp_path, 2)
    await client.read(document.tiff)
    [upload] = (await client.list()).uploads
    page = await client.page(upload.id, 2)
    assert (page.number, page.markdown, page.lines[0].text) == (2, "page 2", "page 2")
    assert (page.width, page.height) == (8, 8)
    assert page.lines[0].words == ()
    [line] = (await client.page(upload.id, 2, words=True)).lines
    assert [(word.text, word.start, word.confidence) for word in line.words] == [
        ("page", 0, 1.0),
        ("2", 5, 1.0),
    ]
    assert line.words[0].box is not None
    assert (await client.page_image(upload.id, 1)).startswith(b"\xff\xd8")
    assert (await client.page_image(upload.id, 1, width=4)).startswith(b"\xff\xd8")
    assert await client.original(upload.id) == document.tiff
    await client.download(upload.id, tmp_path / "copy.tiff")
    assert (tmp_path / "copy.tiff").read_bytes() == document.tiff
    with pytest.raises(NotFound):
        await client.page(upload.id, 3)


async def test_export_of_one_and_of_many_uploads(
    ada: Account, make_client: MakeClient, tmp_path: Path
) -> None:
    client = make_client(ada)
    ids = []
    for name in ("one", "two"):
        await client.read(scripted_png(lines=[name]), filename=f"{name}.png")
        ids.append((await client.list()).uploads[0].id)
    assert await client.export(ids[0]) == b"one\n"
    assert await client.export(ids[0], format="md", page_breaks=True) == b"<!-- Page 1 -->\n\none\n"
    await client.write_export(ids[1], tmp_path / "two.docx", format="docx", pages="1-", furniture="keep")
    assert (tmp_path / "two.docx").read_bytes().startswith(b"PK")
    await client.write_exports(ids, tmp_path / "all.zip", format="txt")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "one.txt": b"one\n",
            "two.txt": b"two\n",
        }
    with pytest.raises(RequestError, match="page 2 is not among them"):
        await client.export(ids[0], pages="2")
    with pytest.raises(NotFound):
        await client.export(UNKNOWN)


async def test_create_streams_a_large_file(ada: Account, make_client: MakeClient, tmp_path: Path) -> None:
    image = scripted_png(lines=["one"]) + bytes(5_000_000)
    (tmp_path / "large.png").write_bytes(image)
    client = make_client(ada)
    created = await client.create(tmp_path / "large.png")
    assert created.instance.bytes == len(image)
    assert (await client.create(image)).duplicate


async def test_me_returns_the_user_of_the_token(ada: Account, make_client: MakeClient) -> None:
    assert (await make_client(ada).me()).username == ada.name


def test_sync_client_sends_each_request(ada: Account, tmp_path: Path) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        image = scripted_png(lines=["one"])
        client.read(image, filename="scan.png", pages="1")
        [upload] = client.list(status="processed").uploads
        assert client.retrieve(upload.id).raw_text == "one"
        assert client.update(upload.id, filename="other.png").filename == "other.png"
        assert client.page(upload.id, 1).markdown == "one"
        assert [word.text for word in client.page(upload.id, 1, words=True).lines[0].words] == ["one"]
        assert client.page_image(upload.id, 1, width=8).startswith(b"\xff\xd8")
        assert client.original(upload.id) == image
        client.download(upload.id, tmp_path / "copy.png")
        assert (tmp_path / "copy.png").read_bytes() == image
        assert client.export(upload.id, format="txt") == b"one\n"
        client.write_export(upload.id, tmp_path / "one.md")
        assert (tmp_path / "one.md").read_text() == "one\n"
        client.write_exports([upload.id], tmp_path / "all.zip")
        assert (tmp_path / "all.zip").read_bytes().startswith(b"PK")
        assert client.me().username == ada.name
        assert client.engines().default == "dummy"
        assert client.retry(upload.id, languages=["en"]).languages == ("en",)
        assert client.delete(upload.id).id == upload.id


def test_both_clients_have_the_same_signatures() -> None:
    def surface(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(
            kind, lambda member: inspect.isfunction(member) or isinstance(member, property)
        )
        public = {name: member for name, member in members if not name.startswith("_")}
        return {
            name: [] if isinstance(member, property) else list(inspect.signature(member).parameters)
            for name, member in public.items()
        }

    assert surface(Client) == surface(AsyncClient)
    assert inspect.signature(Client) == inspect.signature(AsyncClient)
