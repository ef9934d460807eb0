"""S15 - a connection breaks at any frame: the client resumes, and no event is lost or duplicated."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from tests.chaos.proxy import Proxy
from tests.support.accounts import Account
from tests.support.event_recorder import (
    assert_matches_server,
    current_cursor,
    recording,
    wait_until_all_read,
)
from tests.support.raw_websocket import frame_ends
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server


@dataclass
class Run:
    """The event types of a run. `frame_ends` are the byte offsets of frame ends, in a run without a cut."""

    events: list[str]
    frame_ends: list[int]


async def run_session(server: Server, cut_at: int | None) -> Run:
    """Change uploads over one connection, and record over another that is cut once after `cut_at` bytes."""
    account = Account.create(server)
    async with Proxy(server.port) as proxy:
        proxy.to_client.record()
        async with recording(account, proxy.port) as recorder, account.client() as client:
            if cut_at is not None:
                proxy.to_client.cut_after(cut_at)
            pages = scripted_tiff([{"lines": [f"page {n}", "its end"]} for n in (1, 2)])
            upload_id = (await client.create(pages))["instance"]["id"]
            await client.terminal_message(upload_id)
            for name in ("first.tif", "second.tif"):
                await client.request({"type": "update", "instance_id": upload_id, "data": {"filename": name}})
            await client.request({"type": "retry", "instance_id": upload_id})
            await client.terminal_message(upload_id)
            another = await client.create(scripted_tiff([{"lines": ["another"]}]))
            await client.terminal_message(another["instance"]["id"])
            await client.request({"type": "delete", "instance_id": upload_id})
            server_uploads = await wait_until_all_read(account)
            await recorder.wait_for_cursor(await current_cursor(account))
            recorder.check_order()
            assert_matches_server(recorder, server_uploads)
            ends = frame_ends(bytes(proxy.to_client.recorded or b"")) if cut_at is None else []
            return Run([type(event).__name__ for event in recorder.events], ends)


@pytest.mark.slow
async def test_s15_session_cut_at_every_frame_delivers_all_events(server: Server) -> None:
    uncut = await run_session(server, None)
    assert len(uncut.frame_ends) > 12
    for before, end in itertools.pairwise([0, *uncut.frame_ends]):
        for offset in {end, (before + end) // 2} - {0}:  # after the frame, and in the middle of it
            cut = await run_session(server, offset)
            assert cut.events == uncut.events, f"cut after {offset} bytes"
