"""`scanrill serve --workers N`: several processes on one port, over a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import psutil
import pytest

from backend_main.cli.supervisor import ProcessSupervisor
from backend_main.core.errors import CommandError
from tests.integration.test_serve import refusal, scanrill
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until, wait_until_ended
from tests.support.redis import Redis
from tests.support.scripted_documents import Document
from tests.support.server import Server
from tests.support.websocket_client import WAIT_TIMEOUT_SECONDS, Message, WebSocketClient

TRIES = 200


@pytest.fixture
def server(new_server: Callable[..., Server], redis_server: Redis) -> Server:
    """Of three processes, one of which reads."""
    settings = {"REDIS_URL": redis_server.url, "SECRET_KEY": "k" * 50}
    return new_server("--workers", "3", "--with-reader", **settings)


def members(server: Server) -> list[psutil.Process]:
    living = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just died
            if child.status() != psutil.STATUS_ZOMBIE:
                living.append(child)
    return living


def member_of(server: Server, client: WebSocketClient) -> psutil.Process:
    """The process that has the other end of a client's connection."""
    port = client.socket.local_address[1]
    [found] = [
        member
        for member in members(server)
        if any(link.raddr and link.raddr.port == port for link in member.net_connections("tcp"))
    ]
    return found


def read(member: psutil.Process) -> bool:
    """Whether a process has a reader."""
    return any("dummy" in child.cmdline() for child in member.children())


def reader_of(server: Server) -> psutil.Process:
    """The process with the reader, once there is one."""
    wait_until(lambda: any(map(read, members(server))), "a process has a reader")
    [reader] = filter(read, members(server))
    return reader


@contextlib.asynccontextmanager
async def sockets_on_two(
    server: Server, account: Account
) -> AsyncIterator[tuple[WebSocketClient, WebSocketClient]]:
    """The first on a process without a reader, the second on another."""
    reader = reader_of(server)
    async with contextlib.AsyncExitStack() as stack:
        first: WebSocketClient | None = None
        for _ in range(TRIES):
            client = await stack.enter_async_context(account.client())
            member = member_of(server, client)
            if first is None and member != reader:
                first = client
            elif first is not None and member != member_of(server, first):
                yield first, client
                return
        raise AssertionError("all sockets came to one process")


async def lost(client: WebSocketClient) -> bool:
    """Waits until the connection is gone, and says whether it went without a word."""
    async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
        await client.socket.wait_closed()
    return client.socket.close_code == 1006


def test_more_than_one_process_needs_redis(tmp_path: Path) -> None:
    line = refusal(scanrill(tmp_path / "data", "serve", "--port", "0", "--workers", "2", ENGINE="dummy"))
    assert "SCANRILL_REDIS_URL" in line


async def test_several_processes_are_one_server_whichever_of_them_dies(server: Server) -> None:
    account = Account.create(server)
    before = members(server)
    async with sockets_on_two(server, account) as (one, two):
        upload_id = (await one.create(scripted_png(lines=["# One", "for", "all"])))["instance"]["id"]
        assert (await two.terminal_message(upload_id))["raw_text"] == "# One\n\nfor\nall"
        assert two.seen[0]["type"] == "Upload.created"
        assert any("streamed_text" in message for message in two.seen), "live text crosses too"
        await one.terminal_message(upload_id)
        await two.request({"type": "delete", "instance_id": upload_id})
        await one.receive_until(lambda m: m["type"] == "Upload.deleted")

        member_of(server, one).kill()
        assert await lost(one)
        created = await two.create(scripted_png(lines=["read on"]))
        assert (await two.terminal_message(created["instance"]["id"]))["raw_text"] == "read on"
    wait_until(lambda: len(members(server)) == 3, "another took its place")
    assert len(set(members(server)) & set(before)) == 2

    reader = reader_of(server)
    reader.kill()
    wait_until_ended(reader)
    assert reader_of(server) != reader
    async with account.client() as client:
        created = await client.create(scripted_png(lines=["read again"]))
        assert (await client.terminal_message(created["instance"]["id"]))["raw_text"] == "read again"
    assert server.unused_link_count == 1, "who takes the place of another is no new start"


async def test_who_comes_to_another_process_has_the_text_of_the_page_that_is_read(
    server: Server, tmp_path: Path
) -> None:
    account, document = Account.create(server), Document(tmp_path, 2, {2: 1})
    reader = reader_of(server)

    def so_far(message: Message) -> bool:
        return message.get("streamed_text") == document.text_up_to(2)

    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(so_far)
    elsewhere = False
    for _ in range(TRIES):
        async with account.client() as client:
            await client.receive_until(so_far)
            if elsewhere := member_of(server, client) != reader:
                document.release_page(2)
                assert (await client.terminal_message(upload_id))["raw_text"] == document.text
                break
    assert elsewhere


@pytest.mark.slow
async def test_all_end_in_order_with_the_one_that_started_them_and_also_without(server: Server) -> None:
    everyone = members(server)
    assert {os.getsid(member.pid) for member in everyone} == {member.pid for member in everyone}, "for Ctrl-C"
    async with sockets_on_two(server, Account.create(server)) as both:
        assert await asyncio.to_thread(server.stop, timeout=10) == 0
        assert [await client.close_code() for client in both] == [1012, 1012]
    assert not any(member.is_running() for member in everyone)
    assert "Traceback" not in server.log
    assert server.unused_link_count == 1, "what it says at its start it says once"

    server.start()
    everyone = members(server)
    server.stop(signal.SIGKILL)
    for member in everyone:
        wait_until_ended(member)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.http}/healthz")


HARD_OF_HEARING = """
import os, pathlib, signal, sys, time
heard = []
def hear(*_signal):
    heard.append(1)
    if len(heard) == {times}:
        pathlib.Path({mark!r}).touch()
        os._exit(0)
signal.signal(signal.SIGTERM, hear)
os.write(int(sys.argv[3]), b".")
time.sleep(60)
"""


OF_SUCH = """
import logging, os, socket, sys
from backend_main.cli import supervisor

logging.basicConfig(format="%(message)s")
supervisor.STOP_TIMEOUT_SECONDS = 3

class OfSuch(supervisor.ProcessSupervisor):
    program = (sys.executable, "-c", {program!r})

with socket.create_server(("127.0.0.1", 0)) as listener:
    OfSuch(listener, 2, lambda: os.kill(os.getpid(), {number})).run()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("times", "ends"), [(1, True), (2, True), (99, False)])
def test_a_process_is_told_to_end_until_it_hears_it_or_is_killed(
    times: int, ends: bool, number: signal.Signals, tmp_path: Path
) -> None:
    """All of them below a process of their own: a signal that comes late would end whoever runs the tests."""
    mark = tmp_path / "ended by itself"
    program = HARD_OF_HEARING.format(times=times, mark=str(mark))
    command = [sys.executable, "-c", OF_SUCH.format(program=program, number=int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert mark.exists() == ends
    assert "takes its place" not in done.stderr
    assert ("were killed" in done.stderr) != ends


def test_processes_that_cannot_start_are_no_server() -> None:
    class Stillborn(ProcessSupervisor):
        program = (sys.executable, "-c", "raise SystemExit(3)")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        stillborn = Stillborn(listener, 2, lambda: pytest.fail("it serves"))
        with pytest.raises(CommandError, match="at its start"):
            stillborn.run()
