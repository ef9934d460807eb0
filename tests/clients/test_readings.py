"""Readings of an upload, corrections of its pages, and its grade, over both clients."""

from __future__ import annotations

import pytest
from scanrill_client import AsyncClient, Client, NotFound, RequestError

from tests.clients.conftest import MakeClient
from tests.support.accounts import Account
from tests.support.page_images import scripted_png


@pytest.fixture
def client(ada: Account, make_client: MakeClient) -> AsyncClient:
    return make_client(ada)


async def upload_with_two_readings(client: AsyncClient) -> str:
    """Read a page twice; return the id of the upload."""
    image = scripted_png(lines=["one two"])
    await client.read(image)
    [upload] = (await client.list()).uploads
    await client.retry(upload.id)
    await client.read(image)  # waits for the end of the retry
    return upload.id


async def test_readings_are_listed_fetched_exchanged_and_deleted(client: AsyncClient) -> None:
    upload_id = await upload_with_two_readings(client)
    found = (await client.readings(upload_id)).readings
    assert [(each.number, each.is_current, each.engine) for each in found] == [
        (2, True, "dummy"),
        (1, False, "dummy"),
    ]
    first = await client.reading(upload_id, 1)
    assert (first.raw_text, first.processed_text, first.confidence) == ("one two", "one two", 1.0)
    assert first.seconds is not None
    assert (await client.reading_page(upload_id, 1, 1)).text == "one two"
    [line] = (await client.reading_page(upload_id, 1, 1, words=True)).lines
    assert [word.text for word in line.words or ()] == ["one", "two"]
    assert (await client.make_reading_current(upload_id, 1)).reading == 1
    with pytest.raises(RequestError):
        await client.delete_reading(upload_id, 1)
    await client.delete_reading(upload_id, 2)
    assert [each.number for each in (await client.readings(upload_id)).readings] == [1]
    for call in (client.reading, client.delete_reading, client.make_reading_current):
        with pytest.raises(NotFound):
            await call(upload_id, 2)


async def test_compare_readings_lists_words_of_a_named_page_only(client: AsyncClient) -> None:
    upload_id = await upload_with_two_readings(client)
    found = await client.compare_readings(upload_id, 1, 2)
    assert (found.first.number, found.second.number) == (1, 2)
    [page] = found.pages
    assert (page.first_words, page.second_words, page.differing_words, page.changes) == (2, 2, 0, ())
    [named] = (await client.compare_readings(upload_id, 1, 2, page=1)).pages
    assert named == page
    with pytest.raises(NotFound):
        await client.compare_readings(upload_id, 1, 2, page=2)


async def test_correct_page_is_in_the_processed_text(client: AsyncClient) -> None:
    upload_id = await upload_with_two_readings(client)
    page = await client.correct_page(upload_id, 1, "one three")
    upload = await client.retrieve(upload_id)
    assert (page.text, page.correction, page.corrected_by) == ("one two", "one three", upload.owner)
    assert page.corrected_at is not None
    assert (upload.raw_text, upload.processed_text) == ("one two", "one three")
    assert (await client.correct_page(upload_id, 1, None)).correction is None
    assert (await client.retrieve(upload_id)).processed_text == "one two"
    with pytest.raises(NotFound):
        await client.correct_page(upload_id, 2, "x")


async def test_correct_page_accepts_a_correction_of_the_limit(client: AsyncClient) -> None:
    upload_id = await upload_with_two_readings(client)
    longest = "ü" * 1024 * 1024
    assert (await client.correct_page(upload_id, 1, longest)).correction == longest
    with pytest.raises(RequestError) as raised:
        await client.correct_page(upload_id, 1, longest + "x")
    assert list(raised.value.fields) == ["correction"]


@pytest.mark.parametrize("transport", ["rest", "socket"])
async def test_list_filters_by_grade_and_warning(
    transport: str, ada: Account, make_client: MakeClient
) -> None:
    client = make_client(ada, transport=transport)
    await client.read(scripted_png(lines=["one"]))
    [upload] = (await client.list(min_confidence=1.0)).uploads
    assert (upload.confidence, upload.uncertain_share) == (1.0, 0.0)
    assert (await client.list(max_confidence=0.5)).uploads == ()
    assert (await client.list(warning="low-confidence")).uploads == ()
    for filters in ({"min_confidence": 1.5}, {"max_confidence": -1}, {"warning": "two words"}):
        with pytest.raises(RequestError) as raised:
            await client.list(**filters)
        assert list(raised.value.fields) == list(filters)


async def test_retrieve_over_rest_has_the_warnings_of_pages(client: AsyncClient) -> None:
    upload_id = await upload_with_two_readings(client)
    assert (await client.retrieve(upload_id)).page_warnings == ()


def test_sync_client_has_the_methods_for_readings(ada: Account) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        client.read(scripted_png(lines=["one"]))
        [upload] = client.list(min_confidence=0.5, max_confidence=1.0).uploads
        assert [each.number for each in client.readings(upload.id).readings] == [1]
        assert client.reading(upload.id, 1).raw_text == "one"
        assert client.reading_page(upload.id, 1, 1).markdown == "one"
        assert client.make_reading_current(upload.id, 1).reading == 1
        assert client.compare_readings(upload.id, 1, 1, page=1).pages[0].differing_words == 0
        assert client.correct_page(upload.id, 1, "two").correction == "two"
        with pytest.raises(RequestError):
            client.delete_reading(upload.id, 1)
