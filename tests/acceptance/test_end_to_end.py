"""The main use case: a client that uses only the specification's messages."""

from __future__ import annotations

from itertools import pairwise

from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient


async def test_create_streams_growing_text_and_ends_processed(server: Server, token: str) -> None:
    async with WebSocketClient(server.url(token=token)) as client:
        created = await client.create(
            scripted_png(lines=["# Title", "one", "two", "three"], line_seconds=0.15)
        )
        assert created.keys() == {"type", "instance", "duplicate"}
        assert created["instance"]["status"] == "pending"

        end = await client.terminal_message(created["instance"]["id"])

        assert end.keys() == {"id", "status", "raw_text", "processed_text", "type"}
        assert end["raw_text"] == "# Title\n\none\ntwo\nthree"
        texts = [m["streamed_text"] for m in client.seen if m.get("status") == "processing"]
        assert texts[0] == ""
        assert len(texts) >= 4
        assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
