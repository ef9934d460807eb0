"""`scanrill serve --workers N`: several processes on one port, connected by a real Redis."""

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

MAX_CONNECTIONS = 200


@pytest.fixture
def server(new_server: Callable[..., Server], redis_server: Redis) -> Server:
    """A server of three processes, one of which reads."""
    settings = {"REDIS_URL": redis_server.url, "SECRET_KEY": "0123456789abcdef" * 4}
    return new_server("--workers", "3", "--with-reader", **settings)


def server_processes(server: Server) -> list[psutil.Process]:
    processes = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if child.status() != psutil.STATUS_ZOMBIE:
                processes.append(child)
    return processes


def process_of(server: Server, client: WebSocketClient) -> psutil.Process:
    """Return the process that holds the other end of a client's connection."""
    port = client.socket.local_address[1]
    [found] = [
        process
        for process in server_processes(server)
        if any(
            connection.raddr and connection.raddr.port == port
            for connection in process.net_connections("tcp")
        )
    ]
    return found


def has_reader(process: psutil.Process) -> bool:
    """Return whether a process has a reader."""
    return any("dummy" in child.cmdline() for child in process.children())


def reader_of(server: Server) -> psutil.Process:
    """Wait until one process has a reader, and return it."""
    wait_until(lambda: any(map(has_reader, server_processes(server))), "a process has a reader")
    [reader] = filter(has_reader, server_processes(server))
    return reader


@contextlib.asynccontextmanager
async def sockets_on_two_processes(
    server: Server, account: Account
) -> AsyncIterator[tuple[WebSocketClient, WebSocketClient]]:
    """Yield two sockets on different processes; the first process has no reader."""
    reader = reader_of(server)
    async with contextlib.AsyncExitStack() as stack:
        first: WebSocketClient | None = None
        for _ in range(MAX_CONNECTIONS):
            client = await stack.enter_async_context(account.client())
            process = process_of(server, client)
            if first is None and process != reader:
                first = client
            elif first is not None and process != process_of(server, first):
                yield first, client
                return
        raise AssertionError("all sockets went to one process")


async def was_lost(client: WebSocketClient) -> bool:
    """Wait until the connection ends, and return whether it ended without a close frame."""
    async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
        await client.socket.wait_closed()
    return client.socket.close_code == 1006


def test_serve_with_workers_without_redis_fails(tmp_path: Path) -> None:
    line = refusal(scanrill(tmp_path / "data", "serve", "--port", "0", "--workers", "2", ENGINE="dummy"))
    assert "SCANRILL_REDIS_URL" in line


async def test_serve_with_workers_survives_the_death_of_any_process(server: Server) -> None:
    account = Account.create(server)
    before = server_processes(server)
    async with sockets_on_two_processes(server, account) as (one, two):
        upload_id = (await one.create(scripted_png(lines=["# One", "for", "all"])))["instance"]["id"]
        assert (await two.terminal_message(upload_id))["raw_text"] == "# One\n\nfor\nall"
        assert two.seen[0]["type"] == "Upload.created"
        assert any("streamed_text" in message for message in two.seen), "live text reaches other processes"
        await one.terminal_message(upload_id)
        await two.request({"type": "delete", "instance_id": upload_id})
        await one.receive_until(lambda m: m["type"] == "Upload.deleted")

        process_of(server, one).kill()
        assert await was_lost(one)
        created = await two.create(scripted_png(lines=["read on"]))
        assert (await two.terminal_message(created["instance"]["id"]))["raw_text"] == "read on"
    wait_until(lambda: len(server_processes(server)) == 3, "another process replaces it")
    assert len(set(server_processes(server)) & set(before)) == 2

    reader = reader_of(server)
    reader.kill()
    wait_until_ended(reader)
    assert reader_of(server) != reader
    async with account.client() as client:
        created = await client.create(scripted_png(lines=["read again"]))
        assert (await client.terminal_message(created["instance"]["id"]))["raw_text"] == "read again"
    assert server.unused_link_count == 1, "a replacement process prints no link"


async def test_late_socket_on_another_process_receives_the_current_text(
    server: Server, tmp_path: Path
) -> None:
    account, document = Account.create(server), Document(tmp_path, 2, {2: 1})
    reader = reader_of(server)

    def has_current_text(message: Message) -> bool:
        return message.get("streamed_text") == document.text_up_to(2)

    async with account.client() as client:
        upload_id = (await client.create(document.tiff))["instance"]["id"]
        await client.receive_until(has_current_text)
    on_other_process = False
    for _ in range(MAX_CONNECTIONS):
        async with account.client() as client:
            await client.receive_until(has_current_text)
            if on_other_process := process_of(server, client) != reader:
                document.release_page(2)
                assert (await client.terminal_message(upload_id))["raw_text"] == document.text
                break
    assert on_other_process


@pytest.mark.slow
async def test_serve_with_workers_stops_all_processes_on_sigterm_and_sigkill(server: Server) -> None:
    all_processes = server_processes(server)
    assert {os.getsid(process.pid) for process in all_processes} == {
        process.pid for process in all_processes
    }, "Ctrl-C must reach only the supervisor"
    async with sockets_on_two_processes(server, Account.create(server)) as both:
        assert await asyncio.to_thread(server.stop, timeout=10) == 0
        assert [await client.close_code() for client in both] == [1012, 1012]
    assert not any(process.is_running() for process in all_processes)
    assert "Traceback" not in server.log
    assert server.unused_link_count == 1, "only one link is printed"

    server.start()
    all_processes = server_processes(server)
    server.stop(signal.SIGKILL)
    for process in all_processes:
        wait_until_ended(process)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.http}/healthz")


SLOW_TO_STOP_PROGRAM = """
import os, pathlib, signal, sys, time
received = []
def on_signal(*_signal):
    received.append(1)
    if len(received) == {times}:
        pathlib.Path({marker!r}).touch()
        os._exit(0)
signal.signal(signal.SIGTERM, on_signal)
os.write(int(sys.argv[3]), b".")
time.sleep(60)
"""


SUPERVISOR_PROGRAM = """
import logging, os, socket, sys
from backend_main.cli import supervisor

logging.basicConfig(format="%(message)s")
supervisor.STOP_TIMEOUT_SECONDS = 3

class TestSupervisor(supervisor.ProcessSupervisor):
    program = (sys.executable, "-c", {program!r})

with socket.create_server(("127.0.0.1", 0)) as listener:
    TestSupervisor(listener, 2, lambda: os.kill(os.getpid(), {signal_number})).run()
"""


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("times", "exits"), [(1, True), (2, True), (99, False)])
def test_supervisor_repeats_sigterm_until_a_process_exits_or_is_killed(
    times: int, exits: bool, signal_number: signal.Signals, tmp_path: Path
) -> None:
    """The supervisor runs in its own process: a late signal would end the test run."""
    marker = tmp_path / "exited by itself"
    program = SLOW_TO_STOP_PROGRAM.format(times=times, marker=str(marker))
    command = [
        sys.executable,
        "-c",
        SUPERVISOR_PROGRAM.format(program=program, signal_number=int(signal_number)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert marker.exists() == exits
    assert "is restarted" not in done.stderr
    assert ("were killed" in done.stderr) != exits


def test_supervisor_whose_processes_fail_at_start_raises() -> None:
    class FailingSupervisor(ProcessSupervisor):
        program = (sys.executable, "-c", "raise SystemExit(3)")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        supervisor = FailingSupervisor(listener, 2, lambda: pytest.fail("it serves"))
        with pytest.raises(CommandError, match="during its start"):
            supervisor.run()
