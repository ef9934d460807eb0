"""S27 — what says that it is huge is refused from its header: nothing is decoded, the memory stays flat."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path

import pytest

from backend_main.reading import Options, UnreadableFile
from backend_main.reading.documents.document import open_document
from tests.file_corpus import malformed
from tests.file_corpus.corpus_file import CorpusFile, Refused
from tests.file_corpus.images import png
from tests.support.memory_monitor import MemoryMonitor
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

MIB = 1024 * 1024
MOST_GROWTH_BYTES = 48 * MIB
"""The largest bomb is 7 MB, its message a third more, its text once decoded the same again."""
BOMBS = [
    exhibit for exhibit in malformed.EXHIBITS if "gigapixels" in exhibit.name or "100,000" in exhibit.name
]
POINTING = [exhibit for exhibit in malformed.EXHIBITS if "one place" in exhibit.name]
ids = [exhibit.name for exhibit in BOMBS + POINTING]


def test_s27_there_is_a_bomb_of_every_format() -> None:
    assert len(BOMBS) == 12


@pytest.fixture(scope="module")
def token_of_all(server: Server) -> str:
    return server.token(server.user())


@pytest.mark.parametrize("bomb", BOMBS + POINTING, ids=ids)
async def test_s27_a_bomb_is_refused_at_the_door(server: Server, token_of_all: str, bomb: CorpusFile) -> None:
    file = bomb.make()
    assert isinstance(bomb.end, Refused)
    async with WebSocketClient(server.url(token=token_of_all)) as client:
        with MemoryMonitor(server) as watch:
            began = time.monotonic()
            reply = await client.create(file)
            seconds = time.monotonic() - began
        listed = await client.request({"type": "list"})
    assert bomb.end.words in reply["error"]["image_base64"]
    assert listed["list"] == []
    assert watch.growth < MOST_GROWTH_BYTES
    assert seconds < 5


@pytest.mark.parametrize("bomb", BOMBS + POINTING, ids=ids)
def test_s27_the_reader_refuses_it_as_well(tmp_path: Path, bomb: CorpusFile) -> None:
    """Not every way to the reader goes through the door."""
    (tmp_path / "bomb").write_bytes(bomb.make())
    with pytest.raises(UnreadableFile):
        open_document(tmp_path / "bomb", Options())


async def test_s27_pixels_that_inflate_beyond_their_picture_are_not_kept(server: Server) -> None:
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(bytes(MIB)) for _ in range(200)) + packer.flush()
    bomb = png(struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0), pixels)
    async with WebSocketClient(server.url(token=server.token(server.user()))) as client:
        with MemoryMonitor(server) as watch:
            reply = await client.create(bomb)
            await client.terminal_message(reply["instance"]["id"])
    assert watch.growth < MOST_GROWTH_BYTES
