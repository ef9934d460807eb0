"""Connections that break at any moment, over a real server behind a proxy: nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from scanrill_client import (
    AsyncClient,
    ConnectionLost,
    ConnectionRejected,
    Created,
    Deleted,
    Event,
    Finished,
    Progress,
    ServerUnreachable,
    Snapshot,
    Timeouts,
    Updated,
)

from tests.chaos.proxy import Proxy
from tests.clients.conftest import QUICK, Barrier, Make, same_as_server, shown, until
from tests.support.accounts import Account
from tests.support.documents import Document, scripted_tiff
from tests.support.drawing import scripted_png
from tests.support.server import Server


async def test_a_cut_in_the_middle_of_a_reading_costs_nothing(
    ada: Account, client_of: Make, proxy: Proxy, tmp_path: Path
) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with aclosing(client_of(ada, proxy).upload(document.tiff)) as events:
        await shown(events, document.text_up_to(2))
        proxy.cut()
        await shown(events, document.text_up_to(2))
        document.lift(2)
        assert (await until(events, Finished)).result() == document.text
        assert [event async for event in events] == []


async def test_an_end_that_came_while_there_was_no_connection_is_told(
    ada: Account, client_of: Make, proxy: Proxy, barrier: Barrier
) -> None:
    client, other = client_of(ada, proxy), client_of(ada)
    reading = asyncio.create_task(client.read(scripted_png(lines=["one", "two"], **barrier.after(1))))
    async with aclosing(other.events()) as watching:
        await shown(watching, "one")
        proxy.refuse()
        proxy.cut()
        barrier.lift()
        await until(watching, Finished)
        proxy.admit()
        assert await reading == "one\ntwo"


async def test_an_upload_that_was_deleted_while_there_was_no_connection_is_told(
    ada: Account, client_of: Make, proxy: Proxy, barrier: Barrier
) -> None:
    other = client_of(ada)
    async with aclosing(
        client_of(ada, proxy).upload(scripted_png(lines=["one", "two"], **barrier.after(1)))
    ) as events:
        progress = await shown(events, "one")
        proxy.refuse()
        proxy.cut()
        await other.delete(progress.upload_id)
        proxy.admit()
        assert (await until(events, Deleted)).upload_id == progress.upload_id
        assert [event async for event in events] == []


async def test_what_happened_meanwhile_is_in_the_fold_afterwards(
    ada: Account, client_of: Make, proxy: Proxy
) -> None:
    client, other = client_of(ada, proxy), client_of(ada)
    for name in ("kept.png", "renamed.png", "deleted.png"):
        await other.read(scripted_png(lines=[name]), filename=name)
    async with aclosing(client.events()) as events:
        first = await anext(events)
        assert isinstance(first, Snapshot)
        assert len(first.uploads) == 3
        by_name = {upload.filename: upload.id for upload in client.uploads.values()}
        await same_as_server(client, events)
        proxy.refuse()
        proxy.cut()
        await other.update(by_name["renamed.png"], filename="new name.png", metadata={"a": 1})
        await other.delete(by_name["deleted.png"])
        await other.read(scripted_png(lines=["new"]), filename="new.png")
        proxy.admit()
        await same_as_server(client, events)
    assert {upload.filename for upload in client.uploads.values()} == {"kept.png", "new name.png", "new.png"}


async def test_each_event_that_was_missed_is_told_once_and_in_order(
    ada: Account, client_of: Make, proxy: Proxy
) -> None:
    client, other = client_of(ada, proxy), client_of(ada)
    image = scripted_png(lines=["one"])
    await other.read(image)
    async with aclosing(client.events()) as events:
        await anext(events)
        proxy.refuse()
        proxy.cut()
        [upload] = (await other.list()).uploads
        await other.update(upload.id, filename="new name.png")
        await other.delete(upload.id)
        await other.read(image)
        proxy.admit()
        told = [event async for event in several(events, 4)]
    assert [type(event) for event in told] == [Updated, Deleted, Created, Finished]
    places = [int(str(event.cursor).rpartition(":")[2]) for event in told]
    assert places == list(range(places[0], places[0] + 4))


async def several(events: AsyncGenerator[Event], count: int) -> AsyncGenerator[Event]:
    """So many that last: live text is passed over."""
    while count:
        event = await anext(events)
        if not isinstance(event, Progress):
            count -= 1
            yield event


async def test_each_change_is_told_to_the_fold_of_everybody(ada: Account, client_of: Make) -> None:
    for over in ("rest", "socket"):
        asking, watching = client_of(ada, transport=over), client_of(ada)
        async with aclosing(asking.events()) as mine, aclosing(watching.events()) as theirs:
            await anext(mine)
            await anext(theirs)
            key = (await asking.create(scripted_png(lines=["one"]))).upload_id
            for events in (mine, theirs):
                await until(events, Created)
                await until(events, Finished)
            await asking.update(key, filename=f"{over}.png")
            for events in (mine, theirs):
                assert (await until(events, Updated)).instance.filename == f"{over}.png"
            assert asking.uploads[key] == watching.uploads[key] == await asking.retrieve(key)
            await asking.delete(key)
            for events in (mine, theirs):
                await until(events, Deleted)
            assert key not in asking.uploads


async def test_a_conversation_may_be_cut_after_any_of_its_bytes(
    ada: Account, client_of: Make, proxy: Proxy
) -> None:
    """The socket is opened, cut after so many bytes to the client, and comes back; the truth is the same."""
    client = client_of(ada, proxy)
    async with aclosing(client.events()) as events:
        await anext(events)
        for number, count in enumerate([1, 130, 200, 300, 500, 900, 1500]):
            proxy.to_client.cut_after(count)
            await client_of(ada).read(scripted_png(lines=[f"line {number}"]))
            proxy.cut()
            await same_as_server(client, events)
        proxy.heal()


async def test_a_file_whose_sending_is_cut_is_sent_again(ada: Account, client_of: Make, proxy: Proxy) -> None:
    image = scripted_png(lines=["one"]) + bytes(3_000_000)
    proxy.to_server.cut_after(1_000_000)
    assert await client_of(ada, proxy).read(image) == "one"
    assert len((await client_of(ada).list()).uploads) == 1


async def test_a_change_that_is_cut_off_is_an_error_and_a_question_is_asked_again(
    ada: Account, client_of: Make, proxy: Proxy, barrier: Barrier
) -> None:
    client = client_of(ada, proxy, transport="socket")
    key = (await client.create(scripted_png(lines=["one"]))).upload_id
    proxy.to_client.blackhole()
    sent = proxy.to_server.passed_bytes
    changing = asyncio.create_task(client.update(key, filename="new.png"))
    asking = asyncio.create_task(client.retrieve(key))
    await proxy.to_server.passed(sent + 200)
    proxy.cut()
    proxy.heal()
    with pytest.raises(ConnectionLost):
        await changing
    assert (await asking).id == key


async def test_a_server_that_says_nothing_any_more_is_left_and_found_again(
    ada: Account, client_of: Make, proxy: Proxy, barrier: Barrier
) -> None:
    timeouts = Timeouts(idle=0.1, ping=0.2, initial_backoff=0.01, max_backoff=0.05)
    image = scripted_png(lines=["one", "two"], **barrier.after(1))
    async with aclosing(client_of(ada, proxy, timeouts=timeouts, transport="socket").upload(image)) as events:
        await shown(events, "one")
        proxy.to_client.blackhole()
        await proxy.connected(2)
        proxy.heal()
        barrier.lift()
        assert (await until(events, Finished)).result() == "one\ntwo"


async def test_silence_alone_ends_nothing_while_the_server_answers(
    ada: Account, client_of: Make, proxy: Proxy
) -> None:
    client = client_of(ada, proxy, timeouts=Timeouts(idle=0.01, ping=20.0), transport="socket")
    await client.connect()
    passed = proxy.to_client.passed_bytes
    await proxy.to_client.passed(passed + 200)  # some ten answers
    assert proxy.accepted == 1


async def test_a_big_message_on_a_slow_line_is_no_silence(
    ada: Account, client_of: Make, proxy: Proxy
) -> None:
    """It takes longer than the silence and the answer together; bytes come all the while."""
    pages = [f"{number} " + "x" * 10_000 for number in range(10)]
    proxy.to_client.throttle(200_000)
    timeouts = Timeouts(idle=0.1, ping=0.1)
    client = client_of(ada, proxy, timeouts=timeouts, transport="socket")
    assert await client.read(scripted_tiff([{"lines": [page]} for page in pages])) == "\n\n".join(pages)
    assert proxy.accepted == 1


@pytest.mark.timeout(240)
async def test_a_server_that_starts_again_in_the_middle_of_a_document_is_waited_for(
    new_server: Callable[..., Server], client_of: Make, tmp_path: Path
) -> None:
    server = await asyncio.to_thread(new_server)
    ada, document = Account.on(server), Document(tmp_path, 3, gates={2: 1})
    client = client_of(ada)
    async with aclosing(client.events()) as everything, aclosing(client.upload(document.tiff)) as events:
        await anext(everything)
        await shown(events, document.text_up_to(2))
        assert await asyncio.to_thread(server.stop) == 0
        await asyncio.to_thread(server.start)
        await shown(events, document.text_up_to(2))
        document.lift(2)
        assert (await until(events, Finished)).result() == document.text
        await same_as_server(client, everything)


async def test_a_server_that_never_was_there_is_told_at_once(
    client_of: Make, ada: Account, proxy: Proxy
) -> None:
    proxy.refuse()
    client = client_of(ada, proxy)
    for call in (client.connect(), client.list(), client.read(b""), anext(client.events())):
        with pytest.raises(ServerUnreachable):
            await call
    proxy.admit()
    assert await client.read(scripted_png(lines=["one"])) == "one"


async def test_a_server_that_stays_away_too_long_is_given_up(
    ada: Account, client_of: Make, proxy: Proxy
) -> None:
    client = client_of(ada, proxy, timeouts=Timeouts(reconnect=0.05, initial_backoff=0.01, max_backoff=0.02))
    events = client.events()
    await anext(events)
    proxy.refuse()
    proxy.cut()
    with pytest.raises(ServerUnreachable):
        await anext(events)


async def test_a_path_where_no_socket_is_ends_for_good(ada: Account) -> None:
    async with AsyncClient(f"{ada.server.http}/nowhere", token=ada.mint(), timeouts=QUICK) as client:
        with pytest.raises(ConnectionRejected) as raised:
            await client.connect()
        assert raised.value.code == 4404
