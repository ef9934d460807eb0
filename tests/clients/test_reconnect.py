"""Reconnects over a real server behind a proxy: no event is lost, whenever the connection breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from msgspec import structs
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
from tests.clients.conftest import (
    FAST_TIMEOUTS,
    MakeClient,
    ReadingGate,
    next_event,
    wait_for_text,
    wait_until_synchronized,
)
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import Document, scripted_tiff
from tests.support.server import Server


async def test_upload_continues_after_a_cut_in_the_middle(
    ada: Account, make_client: MakeClient, proxy: Proxy, tmp_path: Path
) -> None:
    document = Document(tmp_path, 3, gates={2: 1})
    async with aclosing(make_client(ada, proxy).upload(document.tiff)) as events:
        await wait_for_text(events, document.text_up_to(2))
        proxy.cut()
        await wait_for_text(events, document.text_up_to(2))
        document.release_page(2)
        assert (await next_event(events, Finished)).result() == document.text
        assert [event async for event in events] == []


async def test_read_returns_text_finished_during_a_disconnect(
    ada: Account, make_client: MakeClient, proxy: Proxy, gate: ReadingGate
) -> None:
    client, other = make_client(ada, proxy), make_client(ada)
    reading = asyncio.create_task(client.read(scripted_png(lines=["one", "two"], **gate.after(1))))
    async with aclosing(other.events()) as watched_events:
        await wait_for_text(watched_events, "one")
        proxy.refuse()
        proxy.cut()
        gate.open()
        await next_event(watched_events, Finished)
        proxy.accept()
        assert await reading == "one\ntwo"


async def test_upload_deleted_during_a_disconnect_yields_deleted(
    ada: Account, make_client: MakeClient, proxy: Proxy, gate: ReadingGate
) -> None:
    other = make_client(ada)
    async with aclosing(
        make_client(ada, proxy).upload(scripted_png(lines=["one", "two"], **gate.after(1)))
    ) as events:
        progress = await wait_for_text(events, "one")
        proxy.refuse()
        proxy.cut()
        await other.delete(progress.upload_id)
        proxy.accept()
        assert (await next_event(events, Deleted)).upload_id == progress.upload_id
        assert [event async for event in events] == []


async def test_upload_store_after_a_disconnect_equals_the_server(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    client, other = make_client(ada, proxy), make_client(ada)
    for name in ("kept.png", "renamed.png", "deleted.png"):
        await other.read(scripted_png(lines=[name]), filename=name)
    async with aclosing(client.events()) as events:
        first = await anext(events)
        assert isinstance(first, Snapshot)
        assert len(first.uploads) == 3
        by_name = {upload.filename: upload.id for upload in client.uploads.values()}
        await wait_until_synchronized(client, events)
        proxy.refuse()
        proxy.cut()
        await other.update(by_name["renamed.png"], filename="new name.png", metadata={"a": 1})
        await other.delete(by_name["deleted.png"])
        await other.read(scripted_png(lines=["new"]), filename="new.png")
        proxy.accept()
        await wait_until_synchronized(client, events)
    assert {upload.filename for upload in client.uploads.values()} == {"kept.png", "new name.png", "new.png"}


async def test_events_missed_during_a_disconnect_come_once_and_in_order(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    client, other = make_client(ada, proxy), make_client(ada)
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
        proxy.accept()
        received = [event async for event in first_durable_events(events, 4)]
    assert [type(event) for event in received] == [Updated, Deleted, Created, Finished]
    positions = [int(str(event.cursor).rpartition(":")[2]) for event in received]
    # Two events of the reading stand before its end; they tell nothing more.
    assert [position - positions[0] for position in positions] == [0, 1, 2, 5]


async def first_durable_events(events: AsyncGenerator[Event], count: int) -> AsyncGenerator[Event]:
    """Yield this many events; skip live text."""
    while count:
        event = await anext(events)
        if not isinstance(event, Progress):
            count -= 1
            yield event


async def test_changes_reach_the_upload_store_of_each_client(ada: Account, make_client: MakeClient) -> None:
    for transport in ("rest", "socket"):
        first, second = make_client(ada, transport=transport), make_client(ada)
        async with aclosing(first.events()) as events_of_first, aclosing(second.events()) as events_of_second:
            await anext(events_of_first)
            await anext(events_of_second)
            key = (await first.create(scripted_png(lines=["one"]))).upload_id
            for events in (events_of_first, events_of_second):
                await next_event(events, Created)
                await next_event(events, Finished)
            await first.update(key, filename=f"{transport}.png")
            for events in (events_of_first, events_of_second):
                assert (await next_event(events, Updated)).instance.filename == f"{transport}.png"
            retrieved = structs.replace(await first.retrieve(key), page_warnings=None)  # REST alone has them
            assert first.uploads[key] == second.uploads[key] == retrieved
            await first.delete(key)
            for events in (events_of_first, events_of_second):
                await next_event(events, Deleted)
            assert key not in first.uploads


async def test_upload_store_after_cuts_at_many_bytes_equals_the_server(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    """Each round cuts the connection after this many bytes to the client; the state must agree after it."""
    client = make_client(ada, proxy)
    async with aclosing(client.events()) as events:
        await anext(events)
        for number, count in enumerate([1, 130, 200, 300, 500, 900, 1500]):
            proxy.to_client.cut_after(count)
            await make_client(ada).read(scripted_png(lines=[f"line {number}"]))
            proxy.cut()
            await wait_until_synchronized(client, events)
        proxy.heal()


async def test_read_after_a_cut_request_sends_the_file_again(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    image = scripted_png(lines=["one"]) + bytes(3_000_000)
    proxy.to_server.cut_after(1_000_000)
    assert await make_client(ada, proxy).read(image) == "one"
    assert len((await make_client(ada).list()).uploads) == 1


async def test_requests_after_a_cut_repeat_reads_and_fail_changes(
    ada: Account, make_client: MakeClient, proxy: Proxy, gate: ReadingGate
) -> None:
    client = make_client(ada, proxy, transport="socket")
    key = (await client.create(scripted_png(lines=["one"]))).upload_id
    proxy.to_client.blackhole()
    sent = proxy.to_server.passed_bytes
    change = asyncio.create_task(client.update(key, filename="new.png"))
    read = asyncio.create_task(client.retrieve(key))
    await proxy.to_server.passed(sent + 200)
    proxy.cut()
    proxy.heal()
    with pytest.raises(ConnectionLost):
        await change
    assert (await read).id == key


async def test_silent_server_is_replaced_by_a_new_connection(
    ada: Account, make_client: MakeClient, proxy: Proxy, gate: ReadingGate
) -> None:
    timeouts = Timeouts(idle=0.1, ping=0.2, initial_backoff=0.01, max_backoff=0.05)
    image = scripted_png(lines=["one", "two"], **gate.after(1))
    async with aclosing(
        make_client(ada, proxy, timeouts=timeouts, transport="socket").upload(image)
    ) as events:
        await wait_for_text(events, "one")
        proxy.to_client.blackhole()
        await proxy.wait_for_connections(2)
        proxy.heal()
        gate.open()
        assert (await next_event(events, Finished)).result() == "one\ntwo"


async def test_idle_connection_stays_open_while_pings_are_answered(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    client = make_client(ada, proxy, timeouts=Timeouts(idle=0.01, ping=20.0), transport="socket")
    await client.connect()
    passed = proxy.to_client.passed_bytes
    await proxy.to_client.passed(passed + 200)  # about ten answers
    assert proxy.accepted == 1


async def test_large_message_on_a_slow_line_keeps_the_connection(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    """The message takes longer than `idle` and `ping` together, but bytes arrive all the time."""
    pages = [f"{number} " + "x" * 10_000 for number in range(10)]
    proxy.to_client.throttle(200_000)
    timeouts = Timeouts(idle=0.1, ping=0.1)
    client = make_client(ada, proxy, timeouts=timeouts, transport="socket")
    assert await client.read(scripted_tiff([{"lines": [page]} for page in pages])) == "\n\n".join(pages)
    assert proxy.accepted == 1


@pytest.mark.timeout(240)
async def test_upload_continues_after_a_server_restart(
    new_server: Callable[..., Server], make_client: MakeClient, tmp_path: Path
) -> None:
    server = await asyncio.to_thread(new_server)
    ada, document = Account.create(server), Document(tmp_path, 3, gates={2: 1})
    client = make_client(ada)
    async with aclosing(client.events()) as all_events, aclosing(client.upload(document.tiff)) as events:
        await anext(all_events)
        await wait_for_text(events, document.text_up_to(2))
        assert await asyncio.to_thread(server.stop) == 0
        await asyncio.to_thread(server.start)
        await wait_for_text(events, document.text_up_to(2))
        document.release_page(2)
        assert (await next_event(events, Finished)).result() == document.text
        await wait_until_synchronized(client, all_events)


async def test_server_never_reached_raises_server_unreachable_at_once(
    make_client: MakeClient, ada: Account, proxy: Proxy
) -> None:
    proxy.refuse()
    client = make_client(ada, proxy)
    for call in (client.connect(), client.list(), client.read(b""), anext(client.events())):
        with pytest.raises(ServerUnreachable):
            await call
    proxy.accept()
    assert await client.read(scripted_png(lines=["one"])) == "one"


async def test_reconnect_timeout_raises_server_unreachable(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    client = make_client(
        ada, proxy, timeouts=Timeouts(reconnect=0.05, initial_backoff=0.01, max_backoff=0.02)
    )
    events = client.events()
    await anext(events)
    proxy.refuse()
    proxy.cut()
    with pytest.raises(ServerUnreachable):
        await anext(events)


async def test_unknown_path_raises_connection_rejected(ada: Account) -> None:
    async with AsyncClient(f"{ada.server.http}/nowhere", token=ada.mint(), timeouts=FAST_TIMEOUTS) as client:
        with pytest.raises(ConnectionRejected) as raised:
            await client.connect()
        assert raised.value.code == 4404
