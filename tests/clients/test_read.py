"""From a file to its text, over a real server."""

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
from scanrill_client.client import _end

from tests.chaos.proxy import Proxy
from tests.clients.conftest import Barrier, Make, shown, until
from tests.support.accounts import Account
from tests.support.documents import Document, scripted_tiff
from tests.support.drawing import scripted_png


@pytest.mark.parametrize("over", ["rest", "socket"])
async def test_a_file_is_read(ada: Account, client_of: Make, tmp_path: Path, over: str) -> None:
    (tmp_path / "receipt.png").write_bytes(scripted_png(lines=["# Receipt", "Total 12.00"]))
    client = client_of(ada, transport=over)
    assert await client.read(tmp_path / "receipt.png") == "# Receipt\n\nTotal 12.00"
    [instance] = (await client.list()).uploads
    assert instance.filename == "receipt.png"


@pytest.mark.parametrize("stream", ["pages", "delta", "full"])
async def test_an_upload_is_told_from_its_creation_over_its_growing_text_to_its_end(
    ada: Account, client_of: Make, tmp_path: Path, stream: str
) -> None:
    document = Document(tmp_path, 3, gates={1: 1, 2: 1, 3: 1})
    told = []
    async for event in client_of(ada, stream=stream).upload(document.tiff, filename="scan.tiff"):
        told.append(event)
        if isinstance(event, Progress):
            for page in (1, 2, 3):
                if event.text == document.text_up_to(page):
                    document.lift(page)
    assert isinstance(told[0], Created)
    assert (told[0].instance.filename, told[0].duplicate) == ("scan.tiff", False)
    assert isinstance(told[-1], Finished)
    assert told[-1].result() == document.text
    assert all(isinstance(event, Progress) for event in told[1:-1])
    texts = [event.text for event in told if isinstance(event, Progress)]
    assert all(later.startswith(text) for text, later in pairwise(texts))
    assert {document.text_up_to(page) for page in (1, 2, 3)} <= set(texts)


async def test_pages_are_told_with_their_numbers_and_the_place_of_the_newest_line(
    ada: Account, client_of: Make, tmp_path: Path
) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    async with aclosing(client_of(ada).upload(document.tiff)) as events:
        progress = await shown(events, document.text)
        assert (progress.page, progress.page_count, progress.page_text) == (2, 2, "page 2")
        assert progress.line is not None
        assert (progress.line.width, progress.line.height) == (8, 8)
        document.lift(2)
        await until(events, Finished)


async def test_the_same_file_again_ends_at_once_with_its_text(ada: Account, client_of: Make) -> None:
    client, image = client_of(ada), scripted_png(lines=["one"])
    await client.read(image)
    created, ended = [event async for event in client.upload(image)]
    assert isinstance(created, Created)
    assert created.duplicate
    assert isinstance(ended, Finished)
    assert ended.result() == "one"


async def test_two_clients_that_send_the_same_file_both_get_its_text(
    ada: Account, client_of: Make, barrier: Barrier
) -> None:
    image = scripted_png(lines=["one", "two"], **barrier.after(1))
    async with aclosing(client_of(ada).upload(image)) as events:
        await shown(events, "one")
        second = asyncio.create_task(client_of(ada).read(image))
        barrier.lift()
        assert await second == "one\ntwo"
        assert (await until(events, Finished)).result() == "one\ntwo"


async def test_what_failed_and_is_sent_again_ends_with_its_text_and_not_with_the_failure_of_before(
    ada: Account, client_of: Make, tmp_path: Path
) -> None:
    image = scripted_png(lines=["one"], then="raise", only_once=str(tmp_path / "raised"))
    client = client_of(ada)
    with pytest.raises(ReadingFailed):
        await client.read(image)
    assert await client.read(image) == "one"


async def test_a_reading_that_fails_raises_the_sentence_of_the_server(ada: Account, client_of: Make) -> None:
    client = client_of(ada)
    with pytest.raises(ReadingFailed) as raised:
        await client.read(scripted_png(then="raise"))
    instance = await client.retrieve(raised.value.upload_id)
    assert (instance.status, instance.error) == ("error", str(raised.value))


async def test_a_file_that_is_no_scan_is_refused_with_its_field(ada: Account, client_of: Make) -> None:
    for over in ("rest", "socket"):
        with pytest.raises(RequestError) as raised:
            await client_of(ada, transport=over).read(b"no image at all")
        assert list(raised.value.fields) == ["file" if over == "rest" else "image_base64"]


async def test_a_reading_that_is_cancelled_raises(ada: Account, client_of: Make, barrier: Barrier) -> None:
    client = client_of(ada)
    async with aclosing(client.upload(scripted_png(lines=["one", "two"], **barrier.after(1)))) as events:
        progress = await shown(events, "one")
        assert (await client.cancel(progress.upload_id)).status == "cancelled"
        ended = await until(events, Finished)
        with pytest.raises(Cancelled, match="Cancelled"):
            ended.result()
        assert [event async for event in events] == []


async def test_an_upload_that_is_deleted_ends_with_that(
    ada: Account, client_of: Make, barrier: Barrier
) -> None:
    client, other = client_of(ada), client_of(ada)
    reading = asyncio.create_task(client.read(scripted_png(lines=["one", "two"], **barrier.after(1))))
    async with aclosing(other.events()) as events:
        progress = await shown(events, "one")
        await other.delete(progress.upload_id)
        deleted = await until(events, Deleted)
        assert deleted.upload_id == progress.upload_id
    with pytest.raises(UploadDeleted):
        await reading


async def test_a_text_of_five_megabytes_comes_whole(ada: Account, client_of: Make, proxy: Proxy) -> None:
    pages = [f"{number} " + "x" * 100_000 for number in range(50)]
    document = scripted_tiff([{"lines": [page]} for page in pages])
    assert await client_of(ada, proxy, transport="socket").read(document) == "\n\n".join(pages)
    assert proxy.accepted == 1, "no message is too large for the connection"


async def test_a_client_that_is_closed_ends_what_waits(
    ada: Account, client_of: Make, barrier: Barrier
) -> None:
    client = client_of(ada)
    events = client.upload(scripted_png(lines=["one", "two"], **barrier.after(1)))
    await shown(events, "one")
    await client.close()
    assert [event async for event in events if not isinstance(event, Progress)] == []


# ── without asyncio ──


def test_the_client_without_asyncio_reads_and_tells(ada: Account, tmp_path: Path) -> None:
    document = Document(tmp_path, 2, gates={2: 1})
    with Client(ada.server.http, token=ada.mint()) as client:
        assert client.read(scripted_png(lines=["one"])) == "one"
        told = []
        for event in client.upload(document.tiff):
            told.append(type(event))
            if isinstance(event, Progress) and event.text == document.text:
                document.lift(2)
        assert isinstance(event, Finished)
        assert event.result() == document.text
        assert (told[0], told[-1], set(told[1:-1])) == (Created, Finished, {Progress})


def test_the_client_without_asyncio_raises_what_the_other_does(ada: Account) -> None:
    with Client(ada.server.http, token=ada.mint()) as client:
        with pytest.raises(ReadingFailed):
            client.read(scripted_png(then="raise"))
        with pytest.raises(RequestError):
            client.create(b"no image")


async def test_events_that_are_still_letting_go_are_waited_for() -> None:
    async def slow_to_go() -> AsyncGenerator[int]:
        try:
            while True:
                yield 1
                await asyncio.Event().wait()
        finally:
            for _ in range(5):
                await asyncio.sleep(0)

    events = slow_to_go()
    await anext(events)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    await _end(events)
    assert [event async for event in events] == []


INTERRUPTED = """
import os, signal, sys
from scanrill_client import Client

# A run in the background of a shell ignores Ctrl-C, and Python then raises nothing at it.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Client(sys.argv[1], token=sys.argv[2]) as client:
    events = client.events()
    next(events)
    try:
        client._loop._started().call_soon_threadsafe(os.kill, os.getpid(), signal.SIGINT)
        next(events)
    except KeyboardInterrupt:
        print("interrupted;", len(client.list().uploads), "uploads")
"""


def test_who_interrupts_the_client_without_asyncio_can_go_on_with_it(ada: Account) -> None:
    """In a process of its own: one that comes late would end whoever runs the tests."""
    program = [sys.executable, "-c", INTERRUPTED, ada.server.http, ada.mint()]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("interrupted; 0 uploads\n", "")


INTERRUPTED_OFTEN = """
import asyncio, random, signal
from scanrill_client.client import BackgroundLoop

class Interrupt(BaseException): ...

def strike(*_signal):
    global struck
    if waiting:
        struck += 1
        raise Interrupt

async def work():
    await asyncio.sleep(random.choice([0, 0.0001]))

waiting, struck, loop = False, 0, BackgroundLoop()
loop.run(asyncio.sleep(0))  # how whole a thread is that is just being started is Python's affair
signal.signal(signal.SIGALRM, strike)
while struck < 5000:
    try:
        waiting = True
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 2.5e-4))
        loop.run(work())
        waiting = False
    except Interrupt:
        waiting = False
assert loop.run(asyncio.sleep(0, "goes on")) == "goes on"
print("went on")
"""


def test_an_interrupt_at_any_moment_leaves_the_client_whole() -> None:
    """Before the lock is held, between it and its block, or while what was waited for comes."""
    program = [sys.executable, "-c", INTERRUPTED_OFTEN]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "went on\n", done.stderr
