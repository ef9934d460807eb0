"""`/healthz` and `/readyz` of a real server."""

from __future__ import annotations

import asyncio

import httpx
import psutil

from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient


async def ready(http: httpx.AsyncClient) -> None:
    """Waits until the server says so."""
    async with asyncio.timeout(60):
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


async def test_a_server_lives_and_is_ready_once_its_reader_is_warm(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        alive = await http.get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
        await ready(http)
        assert (await http.get("/readyz")).json() == {"status": "ok"}


async def test_a_server_that_cannot_store_is_not_ready_and_says_why(server: Server) -> None:
    files, aside = server.data_dir / "files", server.data_dir / "files-aside"
    async with httpx.AsyncClient(base_url=server.http) as http:
        await ready(http)
        files.rename(aside)
        try:
            reply = await http.get("/readyz")
            alive = await http.get("/healthz")
        finally:
            aside.rename(files)
        assert reply.status_code == 503
        assert reply.json() == {"status": "unavailable", "reasons": ["the storage cannot be written"]}
        assert alive.status_code == 200
        assert (await http.get("/readyz")).status_code == 200


async def test_a_reader_that_died_idle_is_replaced_for_the_next_upload(server: Server, token: str) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        await ready(http)
        # The other one, if there is one, draws pictures, and has no engine.
        children = psutil.Process(server.reader_process.pid).children()
        [child] = [child for child in children if "dummy" in child.cmdline()]
        child.kill()
        async with WebSocketClient(server.url(token=token)) as client:
            created = await client.create(scripted_png(lines=["read all the same"]))
            end = await client.terminal_message(created["instance"]["id"])
        assert end["raw_text"] == "read all the same"
        await ready(http)


async def test_what_no_host_of_ours_is_asked_for_is_refused(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        assert (await http.get("/healthz", headers={"Host": "evil.example"})).status_code == 400
        assert (await http.get("/nothing/here")).status_code == 404
        assert (await http.put("/api/token/")).status_code in (401, 405)
