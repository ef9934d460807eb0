"""Reading of files over a real server: from the file to its text."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest
from scanrill_client import (
    Cancelled,
    Client,
    Created,
    Deleted,
    Finished,
    Progress,
    ReadingFailed,
    RequestError,
    UploadDeleted,
)
from scanrill_client.background_loop import _close_generator

from tests.chaos.proxy import Proxy
from tests.clients.conftest import MakeClient, ReadingGate, next_event, wait_for_text
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import Document, scripted_tiff


@pytest.mark.parametrize("transport", ["rest", "socket"])
async def test_read_path_returns_the_text_and_sends_the_name(
    ada: Account, make_client: MakeClient, tmp_path: Path, transport: str
) -> None:
    (tmp_path / "receipt.png").write_bytes(scripted_png(lines=["# Receipt", "Total 12.00"]))
    client = make_client(ada, transport=transport)
    assert await client.read(tmp_path / "receipt.png") == "# Receipt\n\nTotal 12.00"
    [instance] = (await client.list()).uploads
    assert instance.filename == "receipt.png"


async def test_page_has_its_blocks_and_the_places_of_its_lines(ada: Account, make_client: MakeClient) -> None:
    client = make_client(ada)
    await client.read(scripted_png(lines=["# Receipt", "Total 12.00"]))
    [instance] = (await client.list()).uploads
    page = await client.page(instance.id, 1)
    assert [(block.type, block.level, block.lines, block.text) for block in page.blocks] == [
        ("heading", 1, (0,), "Receipt"),
        ("paragraph", None, (1,), "Total 12.00"),
    ]
    assert [line.span for line in page.lines] == [block.span for block in page.blocks]


@pytest.mark.parametrize("stream", ["pages", "delta", "full"])
async def test_upload_yields_created_progress_and_finished(
    ada: Account, make_client: MakeClient, tmp_path: Path, stream: str
) -> None:
    document = Document(tmp_path, 3, gates={1: 1, 2: 1, 3: 1})
    received = []
    async for event in make_client(ada, stream=stream).upload(document.tiff, filename="scan.tiff"):
        received.append(event)
        if isinstance(event, Progress):
            for page in (1, 2, 3):
                if event.text == document.text_up_to(page):
                    document.release_page(page)
    assert isinstance(received[0], Created)
    assert (received[0].instance.filename, received[0].duplicate) == ("scan.tiff", False)
    assert isinstance(received[-1], Finished)
    assert received[-1].result() == document.text
    assert all(isinstance(event, Progress) for event in received[1:-1])
    texts = [event.text for event in received if isinstance(event, Progress)]
    assert all(later.startswith(text) for text, later in pairwise(texts))
    assert {document.text_up_to(page) for page in (1, 2, 3)} <= set(texts)


async def test_upload_progress_has_page_number_and_line_position(
    ada: Account, make_client: MakeClient, tmp_path: Path
) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    async with aclosing(make_client(ada).upload(document.tiff)) as events:
        progress = await wait_for_text(events, document.text)
        assert (progress.page, progress.page_count, progress.page_text) == (2, 2, "page 2")
        assert progress.line is not None
        assert (progress.line.width, progress.line.height) == (8, 8)
        document.release_page(2)
        await next_event(events, Finished)


async def test_upload_of_a_duplicate_finishes_at_once(ada: Account, make_client: MakeClient) -> None:
    client, image = make_client(ada), scripted_png(lines=["one"])
    await client.read(image)
    created, ended = [event async for event in client.upload(image)]
    assert isinstance(created, Created)
    assert created.duplicate
    assert isinstance(ended, Finished)
    assert ended.result() == "one"


async def test_read_of_one_file_by_two_clients_returns_the_text_to_both(
    ada: Account, make_client: MakeClient, gate: ReadingGate
) -> None:
    image = scripted_png(lines=["one", "two"], **gate.after(1))
    async with aclosing(make_client(ada).upload(image)) as events:
        await wait_for_text(events, "one")
        second = asyncio.create_task(make_client(ada).read(image))
        gate.open()
        assert await second == "one\ntwo"
        assert (await next_event(events, Finished)).result() == "one\ntwo"


async def test_read_after_a_failed_reading_returns_the_new_text(
    ada: Account, make_client: MakeClient, tmp_path: Path
) -> None:
    image = scripted_png(lines=["one"], then="raise", only_once=str(tmp_path / "raised"))
    client = make_client(ada)
    with pytest.raises(ReadingFailed):
        await client.read(image)
    assert await client.read(image) == "one"


async def test_read_of_a_failing_file_raises_the_server_message(
    ada: Account, make_client: MakeClient
) -> None:
    client = make_client(ada)
    with pytest.raises(ReadingFailed) as raised:
        await client.read(scripted_png(then="raise"))
    instance = await client.retrieve(raised.value.upload_id)
    assert (instance.status, instance.error) == ("error", str(raised.value))


async def test_read_of_an_unsupported_file_raises_request_error(
    ada: Account, make_client: MakeClient
) -> None:
    for transport in ("rest", "socket"):
        with pytest.raises(RequestError) as raised:
            await make_client(ada, transport=transport).read(b"not an image")
        assert list(raised.value.fields) == ["file" if transport == "rest" else "image_base64"]


async def test_upload_that_is_cancelled_yields_finished_cancelled(
    ada: Account, make_client: MakeClient, gate: ReadingGate
) -> None:
    client = make_client(ada)
    async with aclosing(client.upload(scripted_png(lines=["one", "two"], **gate.after(1)))) as events:
        progress = await wait_for_text(events, "one")
        assert (await client.cancel(progress.upload_id)).status == "cancelled"
        ended = await next_event(events, Finished)
        with pytest.raises(Cancelled, match="Cancelled"):
            ended.result()
        assert [event async for event in events] == []


async def test_read_of_a_deleted_upload_raises_upload_deleted(
    ada: Account, make_client: MakeClient, gate: ReadingGate
) -> None:
    client, other = make_client(ada), make_client(ada)
    reading = asyncio.create_task(client.read(scripted_png(lines=["one", "two"], **gate.after(1))))
    async with aclosing(other.events()) as events:
        progress = await wait_for_text(events, "one")
        await other.delete(progress.upload_id)
        deleted = await next_event(events, Deleted)
        assert deleted.upload_id == progress.upload_id
    with pytest.raises(UploadDeleted):
        await reading


async def test_read_of_five_megabytes_of_text_over_one_connection(
    ada: Account, make_client: MakeClient, proxy: Proxy
) -> None:
    pages = [f"{number} " + "x" * 100_000 for number in range(50)]
    document = scripted_tiff([{"lines": [page]} for page in pages])
    assert await make_client(ada, proxy, transport="socket").read(document) == "\n\n".join(pages)
    assert proxy.accepted == 1, "no message exceeded a limit of the connection"


async def test_close_ends_the_iteration_over_events(
    ada: Account, make_client: MakeClient, gate: ReadingGate
) -> None:
    client = make_client(ada)
    events = client.upload(scripted_png(lines=["one", "two"], **gate.after(1)))
    await wait_for_text(events, "one")
    await client.close()
    assert [event async for event in events if not isinstance(event, Progress)] == []


# ── synchronous client ──


def test_sync_client_reads_and_yields_events(ada: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    with Client(ada.server.http, token=ada.mint()) as client:
        assert client.read(scripted_png(lines=["one"])) == "one"
        received = []
        for event in client.upload(document.tiff):
            received.append(type(event))
            if isinstance(event, Progress) and event.text == document.text:
                document.release_page(2)
        assert isinstance(event, Finished)
        assert event.result() == document.text
        assert (received[0], received[-1], set(received[1:-1])) == (Created, Finished, {Progress})


def test_sync_client_raises_the_errors_of_the_async_client(ada: Account) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        with pytest.raises(ReadingFailed):
            client.read(scripted_png(then="raise"))
        with pytest.raises(RequestError):
            client.create(b"not an image")


async def test_close_generator_waits_for_a_running_cleanup() -> None:
    async def generator_with_slow_cleanup() -> AsyncGenerator[int]:
        try:
            while True:
                yield 1
                await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)

    events = generator_with_slow_cleanup()
    await anext(events)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    await _close_generator(events)
    assert [event async for event in events] == []


INTERRUPTED = """
import os, signal, sys
from scanrill_client import Client

# A background job of a shell ignores SIGINT, and Python then raises no KeyboardInterrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Client(sys.argv[1], token=sys.argv[2]) as client:
    events = client.events()
    next(events)
    try:
        client._loop._ensure_started().call_soon_threadsafe(os.kill, os.getpid(), signal.SIGINT)
        next(events)
    except KeyboardInterrupt:
        print("interrupted;", len(client.list().uploads), "uploads")
"""


def test_sync_client_works_after_keyboard_interrupt(ada: Account) -> None:
    """Runs in its own process: a late interrupt would end the test run."""
    program = [sys.executable, "-c", INTERRUPTED, ada.server.http, ada.mint()]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("interrupted; 0 uploads\n", "")


INTERRUPTED_OFTEN = """
import asyncio, random, signal
from scanrill_client.background_loop import BackgroundLoop

class Interrupt(BaseException): ...

def interrupt(*_signal):
    global interrupts
    if waiting:
        interrupts += 1
        raise Interrupt

async def work():
    await asyncio.sleep(random.choice([0, 0.0001]))

waiting, interrupts, loop = False, 0, BackgroundLoop()
loop.run(asyncio.sleep(0))  # an interrupt while the thread starts is not part of the test
signal.signal(signal.SIGALRM, interrupt)
while interrupts < 5000:
    try:
        waiting = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2.5e-4))
        loop.run(work())
        waiting = False
    except Interrupt:
        waiting = False
assert loop.run(asyncio.sleep(0, "still works")) == "still works"
print("completed")
"""


def test_background_loop_works_after_an_interrupt_at_any_moment() -> None:
    """Interrupts before the lock, between lock and block, and while the result arrives."""
    program = [sys.executable, "-c", INTERRUPTED_OFTEN]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "completed\n", done.stderr
