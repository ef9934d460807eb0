"""S15 — a conversation cut at any frame goes on as if it had not been: nothing lost, nothing twice."""

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
class Cut:
    """`frames` are the bytes to the client after which a frame ended, in the run that was not cut."""

    told: list[str]
    frames: list[int]


async def conversation(server: Server, cut_at: int | None) -> Cut:
    """Another connection creates, corrects and deletes; the watching one is cut once, after so many bytes."""
    account = Account.create(server)
    async with Proxy(server.port) as proxy:
        proxy.to_client.record()
        async with recording(account, proxy.port) as watcher, account.client() as acting:
            if cut_at is not None:
                proxy.to_client.cut_after(cut_at)
            pages = scripted_tiff([{"lines": [f"page {n}", "its end"]} for n in (1, 2)])
            upload_id = (await acting.create(pages))["instance"]["id"]
            await acting.terminal_message(upload_id)
            for name in ("first.tif", "second.tif"):
                await acting.request({"type": "update", "instance_id": upload_id, "data": {"filename": name}})
            await acting.request({"type": "retry", "instance_id": upload_id})
            await acting.terminal_message(upload_id)
            another = await acting.create(scripted_tiff([{"lines": ["another"]}]))
            await acting.terminal_message(another["instance"]["id"])
            await acting.request({"type": "delete", "instance_id": upload_id})
            truth = await wait_until_all_read(account)
            await watcher.wait_for_cursor(await current_cursor(account))
            watcher.check_order()
            assert_matches_server(watcher, truth)
            frames = frame_ends(bytes(proxy.to_client.recorded or b"")) if cut_at is None else []
            return Cut([type(event).__name__ for event in watcher.events], frames)


@pytest.mark.slow
async def test_s15_a_conversation_cut_at_every_frame_is_told_whole(server: Server) -> None:
    whole = await conversation(server, None)
    assert len(whole.frames) > 12
    for before, end in itertools.pairwise([0, *whole.frames]):
        for at in {end, (before + end) // 2} - {0}:  # behind the frame, and in the middle of it
            cut = await conversation(server, at)
            assert cut.told == whole.told, f"cut after {at} bytes"
