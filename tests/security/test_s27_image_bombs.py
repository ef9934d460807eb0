"""S27 - an image bomb: the server rejects huge images by the header, without decoding or memory growth."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from backend_main.reading import Options, UnreadableFile
from backend_main.reading.documents.document import open_document
from tests.file_corpus import malformed
from tests.file_corpus.corpus_file import SIZE, CorpusFile, Rejected
from tests.file_corpus.images import png
from tests.support.memory_monitor import MemoryMonitor
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

MIB = 1024 * 1024
# The largest bomb is 7 MB; its message is a third larger, and decoding makes another copy.
MAX_GROWTH_BYTES = 48 * MIB
BOMBS = [
    corpus_file
    for corpus_file in malformed.CORPUS_FILES
    if isinstance(corpus_file.expected, Rejected)
    and ("gigapixels" in corpus_file.name or "100,000" in corpus_file.name)
]
SHARED_OFFSETS = [corpus_file for corpus_file in malformed.CORPUS_FILES if "overlapping" in corpus_file.name]
IDS = [corpus_file.name for corpus_file in BOMBS]


def test_s27_corpus_has_ten_image_bombs() -> None:
    assert len(BOMBS) == 10


@pytest.fixture(scope="module")
def bomb_token(server: Server) -> str:
    return server.token(server.user())


@pytest.mark.parametrize("bomb", BOMBS, ids=IDS)
async def test_s27_create_with_image_bomb_is_rejected_within_memory_and_time(
    server: Server, bomb_token: str, bomb: CorpusFile
) -> None:
    file = bomb.make()
    assert isinstance(bomb.expected, Rejected)
    async with WebSocketClient(server.url(token=bomb_token)) as client:
        with MemoryMonitor(server) as monitor:
            started_at = time.monotonic()
            reply = await client.create(file)
            seconds = time.monotonic() - started_at
        listed = await client.request({"type": "list"})
    assert bomb.expected.words in reply["error"]["image_base64"]
    assert listed["list"] == []
    assert monitor.growth < MAX_GROWTH_BYTES
    assert seconds < 5


@pytest.mark.parametrize("bomb", BOMBS, ids=IDS)
def test_s27_open_document_with_image_bomb_raises(tmp_path: Path, bomb: CorpusFile) -> None:
    """Not every path to the reader goes through the upload check."""
    (tmp_path / "bomb").write_bytes(bomb.make())
    with pytest.raises(UnreadableFile):
        open_document(tmp_path / "bomb", Options())


@pytest.mark.parametrize("file", SHARED_OFFSETS, ids=[file.name for file in SHARED_OFFSETS])
def test_s27_tags_that_share_one_place_are_not_loaded(tmp_path: Path, file: CorpusFile) -> None:
    (tmp_path / "file").write_bytes(file.make())
    tracemalloc.start()
    with open_document(tmp_path / "file", Options()) as document:
        assert document.page(1).width == SIZE[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MIB, "the tags have 20 and 300 megabytes"


async def test_s27_pixel_data_beyond_the_image_size_is_not_kept_in_memory(server: Server) -> None:
    compressor = zlib.compressobj(1)
    pixels = b"".join(compressor.compress(bytes(MIB)) for _ in range(200)) + compressor.flush()
    bomb = png(struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0), pixels)
    async with WebSocketClient(server.url(token=server.token(server.user()))) as client:
        with MemoryMonitor(server) as monitor:
            reply = await client.create(bomb)
            await client.terminal_message(reply["instance"]["id"])
    assert monitor.growth < MAX_GROWTH_BYTES
