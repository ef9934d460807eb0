"""Each request of the client, in both ways, over a real server."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from scanrill_client import AsyncClient, Client, NotFound, ReadOptions, RequestError

from tests.clients.conftest import Barrier, Make
from tests.clients.fake_server import Conversation, socket_server, web_server
from tests.clients.sample_messages import acknowledged, change, instance
from tests.support.accounts import Account
from tests.support.documents import Document
from tests.support.drawing import scripted_png

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=["rest", "socket"])
def client(request: pytest.FixtureRequest, ada: Account, client_of: Make) -> AsyncClient:
    return client_of(ada, transport=request.param)


async def test_an_upload_is_listed_retrieved_changed_and_deleted(client: AsyncClient) -> None:
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


async def test_lists_are_narrowed_and_come_in_pages(client: AsyncClient) -> None:
    for name in ("a.png", "b.png", "c.png"):
        await client.read(scripted_png(lines=[name]), filename=name)
    assert [each.filename for each in (await client.list(search="b.png")).uploads] == ["b.png"]
    assert (await client.list(status="error")).uploads == ()
    first = await client.list(limit=2)
    second = await client.list(limit=2, cursor=first.next)
    assert [each.filename for each in (*first.uploads, *second.uploads)] == ["c.png", "b.png", "a.png"]
    assert second.next is None


async def test_a_reading_is_cancelled_and_asked_for_again(client: AsyncClient, barrier: Barrier) -> None:
    created = await client.create(scripted_png(lines=["one"], **barrier.after(0)))
    assert (created.duplicate, created.instance.status) == (False, "pending")
    cancelled = await client.cancel(created.upload_id)
    assert (cancelled.status, cancelled.error, cancelled.is_terminal) == ("cancelled", "Cancelled", True)
    again = await client.retry(created.upload_id)
    assert (again.status, again.is_terminal) == ("pending", False)
    with pytest.raises(RequestError) as raised:
        await client.retry(created.upload_id)
    assert list(raised.value.fields) == ["instance_id"]
    barrier.lift()


@pytest.mark.parametrize("upload_id", [UNKNOWN, "no id", "../token"])
async def test_an_unknown_upload_is_not_found(client: AsyncClient, upload_id: str) -> None:
    for call in (client.retrieve, client.delete):
        with pytest.raises(NotFound):
            await call(upload_id)
    with pytest.raises(NotFound):
        await client.update(upload_id, filename="a.png")
    for call in (client.cancel, client.retry):
        with pytest.raises(RequestError):
            await call(upload_id)


async def test_a_field_that_is_wrong_is_refused_by_its_name(client: AsyncClient) -> None:
    created = await client.create(scripted_png())
    with pytest.raises(RequestError) as raised:
        await client.update(created.upload_id, filename="a/b")
    assert list(raised.value.fields) == ["filename"]


async def test_a_file_is_read_as_it_is_asked_for_and_again_in_another_way(
    client: AsyncClient, tmp_path: Path
) -> None:
    tiff = Document(tmp_path, 4).tiff
    assert await client.read(tiff, pages="2,4-", languages=["eng", "en"]) == "page 2\n\npage 4"
    [upload] = (await client.list()).uploads
    assert (upload.engine, upload.languages) == ("dummy", ("en",))
    await client.retry(upload.id, pages="3", engine="dummy")
    assert await client.read(tiff) == "page 2\n\npage 3\n\npage 4", "what was read before stays"
    assert (await client.retrieve(upload.id)).languages == ("en",), "what is not asked anew stays"


WRONG: dict[str, ReadOptions] = {
    "engine": {"engine": "magic"},
    "languages": {"languages": ["xx"]},
    "pages": {"pages": "3-1"},
    "profile": {"engine": "rapid", "profile": "none-such"},
    "priority": {"priority": "now"},  # type: ignore[typeddict-item] # that is what is refused
}


@pytest.mark.parametrize("field", WRONG)
async def test_what_cannot_be_had_is_refused_on_its_field(client: AsyncClient, field: str) -> None:
    wishes = WRONG[field]
    await client.read(scripted_png())
    [upload] = (await client.list()).uploads
    for call in (
        client.create(scripted_png(), **wishes),
        client.read(scripted_png(), **wishes),
        client.retry(upload.id, **wishes),
    ):
        with pytest.raises(RequestError) as raised:
            await call
        assert list(raised.value.fields) == [field]
    assert len((await client.list()).uploads) == 1


async def test_a_wish_that_there_is_not_is_no_argument(client: AsyncClient) -> None:
    for call in (client.create(scripted_png(), langauges=["de"]), client.retry(UNKNOWN, page="1")):  # type: ignore[call-arg]
        with pytest.raises(TypeError):
            await call


async def test_what_nobody_wishes_is_not_on_the_wire() -> None:
    heard = []

    async def server(client: Conversation) -> None:
        await client.hears()
        await client.says(acknowledged(cursor="7:0"))
        while True:
            request = await client.hears()
            heard.append(request)
            await client.says(change("updated", instance("a"), ref=request["ref"]))

    async with socket_server(server) as url, AsyncClient(url, token="a-token", transport="socket") as client:
        await client.create(b"a")
        await client.retry("a")
        await client.retry("a", engine=None, pages=None)
        await client.retry("a", pages="1")
    assert heard[0]["data"].keys() == {"image_base64"}
    assert [message.keys() - {"type", "instance_id", "ref"} for message in heard[1:3]] == [set(), set()]
    assert heard[3]["data"] == {"pages": "1"}


async def test_what_nobody_wishes_is_not_in_the_query_nor_in_a_body() -> None:
    refusal = b'{"error": {"detail": "No."}}'
    answer = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(refusal), refusal)
    async with web_server(answer) as (url, heads), AsyncClient(url, token="a-token") as client:
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


async def test_the_server_says_what_can_read(ada: Account, client_of: Make) -> None:
    engines = await client_of(ada).engines()
    by_name = {engine.name: engine for engine in engines.engines}
    assert engines.default == "dummy"
    assert (by_name["dummy"].installed, by_name["dummy"].languages) == (True, ("en",))
    assert "de" in by_name["rapid"].languages
    assert "SCANRILL_VISION_URL" in by_name["vision"].lacking


async def test_pages_pictures_and_the_original_come_back(
    ada: Account, client_of: Make, tmp_path: Path
) -> None:
    client, document = client_of(ada), Document(tmp_path, 2)
    await client.read(document.tiff)
    [upload] = (await client.list()).uploads
    page = await client.page(upload.id, 2)
    assert (page.number, page.markdown, page.lines[0].text) == (2, "page 2", "page 2")
    assert (page.width, page.height) == (8, 8)
    assert (await client.page_image(upload.id, 1)).startswith(b"\xff\xd8")
    assert (await client.page_image(upload.id, 1, width=4)).startswith(b"\xff\xd8")
    assert await client.original(upload.id) == document.tiff
    await client.download(upload.id, tmp_path / "copy.tiff")
    assert (tmp_path / "copy.tiff").read_bytes() == document.tiff
    with pytest.raises(NotFound):
        await client.page(upload.id, 3)


async def test_a_large_file_is_streamed_with_its_length(
    ada: Account, client_of: Make, tmp_path: Path
) -> None:
    image = scripted_png(lines=["one"]) + bytes(5_000_000)
    (tmp_path / "large.png").write_bytes(image)
    client = client_of(ada)
    created = await client.create(tmp_path / "large.png")
    assert created.instance.bytes == len(image)
    assert (await client.create(image)).duplicate


async def test_who_the_client_is(ada: Account, client_of: Make) -> None:
    assert (await client_of(ada).me()).username == ada.name


def test_the_client_without_asyncio_asks_for_the_same(ada: Account, tmp_path: Path) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        image = scripted_png(lines=["one"])
        client.read(image, filename="scan.png", pages="1")
        [upload] = client.list(status="processed").uploads
        assert client.retrieve(upload.id).raw_text == "one"
        assert client.update(upload.id, filename="other.png").filename == "other.png"
        assert client.page(upload.id, 1).markdown == "one"
        assert client.page_image(upload.id, 1, width=8).startswith(b"\xff\xd8")
        assert client.original(upload.id) == image
        client.download(upload.id, tmp_path / "copy.png")
        assert (tmp_path / "copy.png").read_bytes() == image
        assert client.me().username == ada.name
        assert client.engines().default == "dummy"
        assert client.retry(upload.id, languages=["en"]).languages == ("en",)
        assert client.delete(upload.id).id == upload.id


def test_both_clients_can_do_the_same() -> None:
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
