"""S29 - a PDF is a bomb, encrypted or broken: it ends within the limits, and the next file is read."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption

from tests.file_corpus.pdfs import (
    BOX,
    build_pdf,
    document_objects,
    identical_pages,
    pdf_from_objects,
    stream,
)
from tests.support.memory_monitor import MemoryMonitor
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

MIB = 1024 * 1024
PAGE_SECONDS, MEMORY_BYTES = 1.5, 600 * MIB
ATTEMPTS = 3
RESTARTS_SECONDS = 10.0  # two restarts of the child process, on a busy machine

Make = Callable[[], bytes]


def nested_forms(depth: int = 12, uses: int = 12) -> bytes:
    """Return a PDF whose forms each use the next form twelve times: 12¹² strokes."""
    more = {}
    for level in range(depth):
        inner = f"/Resources<</XObject<</X {101 + level} 0 R>>>>"
        more[100 + level] = stream(b"/X Do " * uses, f"/Type/XObject/Subtype/Form/BBox[0 0 99 99]{inner}")
    more[100 + depth] = stream(b"0 0 m 9 9 l S", "/Type/XObject/Subtype/Form/BBox[0 0 99 99]")
    return pdf_from_objects(
        document_objects([BOX], content=b"/X Do", resources="/XObject<</X 100 0 R>>", more={**more})
    )


def form_in_itself() -> bytes:
    form = "/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</X 100 0 R>>>>"
    more: dict[int, str | bytes] = {100: stream(b"/X Do /X Do", form)}
    return pdf_from_objects(
        document_objects([BOX], content=b"/X Do", resources="/XObject<</X 100 0 R>>", more=more)
    )


def inflating_content(size: int = 400 * MIB) -> bytes:
    return pdf_from_objects(document_objects([BOX], content=b"0 0 m 9 9 l S\n" * (size // 14)))


def inflating_twice(size: int = 512 * MIB) -> bytes:
    """Return a PDF with half a gigabyte of content in a few kilobytes, compressed twice."""
    compressor = zlib.compressobj(1)
    packed = b"".join(compressor.compress(bytes(MIB)) for _ in range(size // MIB)) + compressor.flush()
    twice = zlib.compress(packed, 9)
    head = f"<</Filter[/FlateDecode/FlateDecode]/Length {len(twice)}>>\nstream\n".encode()
    return pdf_from_objects(document_objects([BOX], more={4: head + twice + b"\nendstream"}))


def huge_image(side: int = 60_000) -> bytes:
    entries = f"/Subtype/Image/Width {side}/Height {side}/ColorSpace/DeviceRGB/BitsPerComponent 8"
    more: dict[int, str | bytes] = {100: stream(bytes(MIB), entries)}
    content = b"200 0 0 200 0 0 cm /X Do"
    return pdf_from_objects(
        document_objects([BOX], content=content, resources="/XObject<</X 100 0 R>>", more=more)
    )


def tree(kids: str, count: str) -> Make:
    return lambda: pdf_from_objects(
        document_objects([BOX], more={2: f"<</Type/Pages/Kids[{kids}]/Count {count}>>"})
    )


BOMBS: dict[str, Make] = {
    "forms in forms": nested_forms,
    "a form in itself": form_in_itself,
    "a content that inflates": inflating_content,
    "a content that inflates twice": inflating_twice,
    "an image of 3.6 gigapixels": huge_image,
    "pages in a ring": tree("2 0 R 10 0 R", "2"),
    "a page count over the number of pages": tree("10 0 R", "2147483647"),
    "a negative page count": tree("10 0 R", "-5"),
    "brackets in brackets": lambda: pdf_from_objects(document_objects([BOX], content=b"[" * 1_000_000)),
    "a page of huge size": lambda: pdf_from_objects(document_objects(["/MediaBox[0 0 1e38 1e38]"])),
    "a page without extent": lambda: pdf_from_objects(document_objects(["/MediaBox[5 5 5 5]"])),
    "a page that is not a number": lambda: pdf_from_objects(document_objects(["/MediaBox[0 0 (x) /y]"])),
}
REJECTED: dict[str, tuple[Make, str]] = {
    "encrypted": (lambda: build_pdf("text", lock=encrypted()), "encrypted and needs a password"),
    "too many pages": (lambda: identical_pages(5_001), "more than 5000 pages"),
    "no pages": (lambda: pdf_from_objects(document_objects([])), "no pages"),
    "cut short": (lambda: build_pdf("text")[:400], "broken"),
}


def encrypted() -> StandardEncryption:
    return StandardEncryption("open", "owner", strength=128)


@pytest.fixture(scope="module")
def limited_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with limits that a test can reach."""
    directory = tmp_path_factory.mktemp("limited_server") / "data"
    limits = {"PAGE_SECONDS": str(PAGE_SECONDS), "READER_MEMORY_BYTES": str(MEMORY_BYTES)}
    server = Server(directory, **limits).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def limited_token(limited_server: Server) -> str:
    return limited_server.token(limited_server.user())


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
async def test_s29_pdf_bomb_ends_within_time_and_memory(
    limited_server: Server, limited_token: str, name: str
) -> None:
    file = BOMBS[name]()
    async with WebSocketClient(limited_server.url(token=limited_token)) as client:
        with MemoryMonitor(limited_server) as monitor:
            started_at = time.monotonic()
            reply = await client.create(file)
            end = await client.terminal_message(reply["instance"]["id"])
            seconds = time.monotonic() - started_at
        assert end["status"] == "processed" or end["error"].endswith(".")
        assert seconds < ATTEMPTS * PAGE_SECONDS + RESTARTS_SECONDS
        # The memory may grow a little between two samples.
        assert monitor.growth < MEMORY_BYTES + 400 * MIB
        next_one = await client.create(scripted_png(lines=["the next one"]))
        assert (await client.terminal_message(next_one["instance"]["id"]))["raw_text"] == "the next one"


@pytest.mark.parametrize("name", REJECTED)
async def test_s29_invalid_pdf_ends_with_the_reason(
    limited_server: Server, limited_token: str, name: str
) -> None:
    make, sentence = REJECTED[name]
    async with WebSocketClient(limited_server.url(token=limited_token)) as client:
        reply = await client.create(make())
        end = await client.terminal_message(reply["instance"]["id"])
    assert end["status"] == "error"
    assert sentence in end["error"]
    assert "/" not in end["error"]


async def test_s29_pdf_page_over_the_time_limit_is_stopped(new_server: Callable[..., Server]) -> None:
    """The default memory limit applies: a fast machine would reach a low one first."""
    server = new_server(PAGE_SECONDS=str(PAGE_SECONDS))
    async with WebSocketClient(server.url(token=server.token(server.user()))) as client:
        reply = await client.create(nested_forms(13))
        end = await client.terminal_message(reply["instance"]["id"])
    assert end["status"] == "error"
    assert "A page took longer than 1.5 seconds" in end["error"]


@pytest.mark.slow
async def test_s29_pdf_page_over_the_memory_limit_is_stopped(new_server: Callable[..., Server]) -> None:
    """The time limit is high; pdfium keeps each of the millions of strokes in memory."""
    server = new_server(PAGE_SECONDS="100", READER_MEMORY_BYTES=str(MEMORY_BYTES))
    async with WebSocketClient(server.url(token=server.token(server.user()))) as client:
        with MemoryMonitor(server) as monitor:
            reply = await client.create(inflating_content())
            end = await client.terminal_message(reply["instance"]["id"])
    assert (end["status"], end["error"]) == ("error", "The reading engine used too much memory.")
    assert monitor.growth < MEMORY_BYTES + 400 * MIB
