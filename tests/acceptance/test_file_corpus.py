"""A file of every kind is refused, read or given up with a sentence, as the zoo says of it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.file_corpus import images, malformed, pdfs
from tests.file_corpus.corpus_file import (
    CorpusFile,
    Failed,
    Processed,
    Rejected,
)
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

ALL = [*images.CORPUS_FILES, *pdfs.CORPUS_FILES, *malformed.CORPUS_FILES]
MOST_AT_ONCE = 8
"""The server answers one client's creates in order; more in flight would only fill memory here."""


@dataclass
class Visit:
    """What became of an exhibit: the reply to its `create`, and its state in the end."""

    reply: Message
    upload: Message = field(default_factory=dict)


class Zoo:
    def __init__(self, server: Server, token: str, exhibits: list[CorpusFile]) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=server.http, headers=self._headers, timeout=60)
        self.visits = asyncio.run(self._visit(server.url(token=token), exhibits))
        for visit in self.visits.values():
            if key := visit.reply.get("instance", {}).get("id"):
                visit.upload = self.get(f"/api/uploads/{key}/").json()

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    async def _visit(self, url: str, exhibits: list[CorpusFile]) -> dict[str, Visit]:
        visits = {}
        async with WebSocketClient(url) as client:
            for exhibit in exhibits:
                named = {"image_path": exhibit.filename} if exhibit.filename else {}
                visits[exhibit.name] = Visit(await client.create(exhibit.make(), **named))
            waiting = {key for visit in visits.values() if (key := visit.reply.get("instance", {}).get("id"))}
            waiting -= {
                m["id"] for m in client.seen if m.get("status") in ("processed", "error") and "id" in m
            }
            while waiting:
                message = await client.receive()
                if message.get("status") in ("processed", "error"):
                    waiting.discard(message["id"])
        return visits


@pytest.fixture(scope="module")
def zoo(server: Server) -> Iterator[Zoo]:
    zoo = Zoo(server, server.token(server.user()), [exhibit for exhibit in ALL if not exhibit.slow])
    yield zoo
    zoo.http.close()


@pytest.fixture(scope="module")
def slow_zoo(server: Server) -> Iterator[Zoo]:
    zoo = Zoo(server, server.token(server.user()), [exhibit for exhibit in ALL if exhibit.slow])
    yield zoo
    zoo.http.close()


def test_the_zoo_has_more_than_sixty_and_no_two_alike() -> None:
    names = [exhibit.name for exhibit in ALL]
    assert len(set(names)) == len(names) > 60
    files = [exhibit.make() for exhibit in ALL if not exhibit.slow]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("exhibit", [e for e in ALL if not e.slow], ids=lambda exhibit: exhibit.name)
def test_a_file_ends_as_it_must(zoo: Zoo, exhibit: CorpusFile) -> None:
    assert_ends(zoo, exhibit)


@pytest.mark.slow
@pytest.mark.timeout(300)  # the first waits until all of them are read: a minute where nobody else works
@pytest.mark.parametrize("exhibit", [e for e in ALL if e.slow], ids=lambda exhibit: exhibit.name)
def test_a_large_file_ends_as_it_must(slow_zoo: Zoo, exhibit: CorpusFile) -> None:
    assert_ends(slow_zoo, exhibit)


def test_what_was_refused_left_no_row_and_no_file(zoo: Zoo, server: Server) -> None:
    stored = zoo.get("/api/uploads/").json()["list"]
    refused = [exhibit for exhibit in ALL if isinstance(exhibit.expected, Rejected)]
    assert len(stored) == len(zoo.visits) - len(refused)
    assert not list((server.data_dir / "incoming").iterdir())


def assert_ends(zoo: Zoo, exhibit: CorpusFile) -> None:
    visit, end = zoo.visits[exhibit.name], exhibit.expected
    if isinstance(end, Rejected):
        assert list(visit.reply["error"]) == ["image_base64"]
        assert end.words in visit.reply["error"]["image_base64"]
        return
    assert "error" not in visit.reply, visit.reply
    if isinstance(end, Failed):
        assert visit.upload["status"] == "error"
        assert end.words in visit.upload["error"]
        return
    assert_read(zoo, visit.upload, end)


def assert_read(zoo: Zoo, upload: Message, end: Processed) -> None:
    assert (upload["status"], upload["error"]) == ("processed", None)
    assert upload["content_type"] == end.content_type
    assert (upload["page_count"], upload["pages_done"]) == (end.pages, end.pages)
    assert all(words in upload["processed_text"] for words in end.words), upload["processed_text"]
    assert not any(words in upload["processed_text"] for words in end.not_words)
    assert len(upload["warnings"]) == len(end.warnings), upload["warnings"]
    for words, warning in zip(end.warnings, upload["warnings"], strict=True):
        assert words in warning
    page = zoo.get(f"/api/uploads/{upload['id']}/pages/1").json()
    assert end.size in (None, (page["width"], page["height"]))
    if end.shows_patch:
        picture = zoo.get(f"/api/uploads/{upload['id']}/pages/1/image", width=200)
        assert_drawn(picture.content)


def assert_drawn(jpeg: bytes) -> None:
    """A black patch over the top left, on white."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        width, height = picture.size
        grey = picture.convert("L")
        assert grey.getpixel((int(width * 0.2), int(height * 0.15))) < 60
        for x, y in ((0.6, 0.1), (0.9, 0.9), (0.1, 0.6)):
            assert grey.getpixel((int(width * x), int(height * y))) > 195
