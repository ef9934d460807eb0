"""The routes `/healthz` and `/readyz` of a real server."""

from __future__ import annotations

import asyncio

import httpx
import psutil

from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient


async def wait_until_ready(http: httpx.AsyncClient) -> None:
    """Wait until `/readyz` returns 200."""
    async with asyncio.timeout(60):
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)


async def test_readyz_is_ok_once_the_reader_is_warm(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        alive = await http.get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
        await wait_until_ready(http)
        assert (await http.get("/readyz")).json() == {"status": "ok"}


async def test_readyz_without_writable_storage_is_503_with_the_reason(server: Server) -> None:
    files, moved = server.data_dir / "files", server.data_dir / "files-moved"
    async with httpx.AsyncClient(base_url=server.http) as http:
        await wait_until_ready(http)
        files.rename(moved)
        try:
            reply = await http.get("/readyz")
            alive = await http.get("/healthz")
        finally:
            moved.rename(files)
        assert reply.status_code == 503
        assert reply.json() == {"status": "unavailable", "reasons": ["the storage cannot be written"]}
        assert alive.status_code == 200
        assert (await http.get("/readyz")).status_code == 200


async def test_idle_engine_process_that_was_killed_is_replaced(server: Server, token: str) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        await wait_until_ready(http)
        # Another child, if present, renders page images and has no engine.
        children = psutil.Process(server.reader_process.pid).children()
        [child] = [child for child in children if "dummy" in child.cmdline()]
        child.kill()
        async with WebSocketClient(server.url(token=token)) as client:
            created = await client.create(scripted_png(lines=["read anyway"]))
            end = await client.terminal_message(created["instance"]["id"])
        assert end["raw_text"] == "read anyway"
        await wait_until_ready(http)


async def test_request_with_unknown_host_is_400(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.http) as http:
        assert (await http.get("/healthz", headers={"Host": "evil.example"})).status_code == 400
        assert (await http.get("/nothing/here")).status_code == 404
        assert (await http.put("/api/token/")).status_code in (401, 405)
