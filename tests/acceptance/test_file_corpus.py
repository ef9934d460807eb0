"""Every file of the corpus: the server rejects it, reads it, or ends it in error, as the corpus expects."""

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


@dataclass
class Outcome:
    """The reply to a file's `create`, and the final state of its upload."""

    reply: Message
    upload: Message = field(default_factory=dict)


class UploadedCorpus:
    """The outcomes of a set of corpus files, by their names."""

    def __init__(self, server: Server, token: str, corpus_files: list[CorpusFile]) -> None:
        self._headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=server.http, headers=self._headers, timeout=60)
        self.outcomes = asyncio.run(self._upload(server.url(token=token), corpus_files))
        for outcome in self.outcomes.values():
            if key := outcome.reply.get("instance", {}).get("id"):
                outcome.upload = self.get(f"/api/uploads/{key}/").json()

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    async def _upload(self, url: str, corpus_files: list[CorpusFile]) -> dict[str, Outcome]:
        outcomes = {}
        async with WebSocketClient(url) as client:
            for corpus_file in corpus_files:
                named = {"image_path": corpus_file.filename} if corpus_file.filename else {}
                outcomes[corpus_file.name] = Outcome(await client.create(corpus_file.make(), **named))
            waiting = {
                key for outcome in outcomes.values() if (key := outcome.reply.get("instance", {}).get("id"))
            }
            waiting -= {
                m["id"] for m in client.seen if m.get("status") in ("processed", "error") and "id" in m
            }
            while waiting:
                message = await client.receive()
                if message.get("status") in ("processed", "error"):
                    waiting.discard(message["id"])
        return outcomes


@pytest.fixture(scope="module")
def corpus(server: Server) -> Iterator[UploadedCorpus]:
    corpus = UploadedCorpus(
        server, server.token(server.user()), [corpus_file for corpus_file in ALL if not corpus_file.slow]
    )
    yield corpus
    corpus.http.close()


@pytest.fixture(scope="module")
def slow_corpus(server: Server) -> Iterator[UploadedCorpus]:
    corpus = UploadedCorpus(
        server, server.token(server.user()), [corpus_file for corpus_file in ALL if corpus_file.slow]
    )
    yield corpus
    corpus.http.close()


def test_corpus_has_more_than_sixty_distinct_files() -> None:
    names = [corpus_file.name for corpus_file in ALL]
    assert len(set(names)) == len(names) > 60
    files = [corpus_file.make() for corpus_file in ALL if not corpus_file.slow]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    "corpus_file", [e for e in ALL if not e.slow], ids=lambda corpus_file: corpus_file.name
)
def test_corpus_file_has_the_expected_outcome(corpus: UploadedCorpus, corpus_file: CorpusFile) -> None:
    assert_expected_outcome(corpus, corpus_file)


@pytest.mark.slow
@pytest.mark.timeout(300)  # the fixture waits until all of them are read: a minute on an idle machine
@pytest.mark.parametrize("corpus_file", [e for e in ALL if e.slow], ids=lambda corpus_file: corpus_file.name)
def test_slow_corpus_file_has_the_expected_outcome(
    slow_corpus: UploadedCorpus, corpus_file: CorpusFile
) -> None:
    assert_expected_outcome(slow_corpus, corpus_file)


def test_rejected_corpus_files_leave_no_row_and_no_file(corpus: UploadedCorpus, server: Server) -> None:
    stored = corpus.get("/api/uploads/", limit=1000).json()["list"]
    refused = [corpus_file for corpus_file in ALL if isinstance(corpus_file.expected, Rejected)]
    assert len(stored) == len(corpus.outcomes) - len(refused)
    assert not any(path.is_file() for path in (server.data_dir / "incoming").iterdir())


def assert_expected_outcome(corpus: UploadedCorpus, corpus_file: CorpusFile) -> None:
    outcome, end = corpus.outcomes[corpus_file.name], corpus_file.expected
    if isinstance(end, Rejected):
        assert list(outcome.reply["error"]) == ["image_base64"]
        assert end.words in outcome.reply["error"]["image_base64"]
        return
    assert "error" not in outcome.reply, outcome.reply
    if isinstance(end, Failed):
        assert outcome.upload["status"] == "error"
        assert end.words in outcome.upload["error"]
        return
    assert_read(corpus, outcome.upload, end)


def assert_read(corpus: UploadedCorpus, upload: Message, end: Processed) -> None:
    assert (upload["status"], upload["error"]) == ("processed", None)
    assert upload["content_type"] == end.content_type
    assert (upload["page_count"], upload["pages_done"]) == (end.pages, end.pages)
    assert all(words in upload["processed_text"] for words in end.words), upload["processed_text"]
    assert not any(words in upload["processed_text"] for words in end.not_words)
    assert len(upload["warnings"]) == len(end.warnings), upload["warnings"]
    for words, warning in zip(end.warnings, upload["warnings"], strict=True):
        assert words in warning
    page = corpus.get(f"/api/uploads/{upload['id']}/pages/1").json()
    assert end.size in (None, (page["width"], page["height"]))
    if end.shows_patch:
        response = corpus.get(f"/api/uploads/{upload['id']}/pages/1/image", width=200)
        assert_drawn(response.content)


def assert_drawn(jpeg: bytes) -> None:
    """Assert a black patch over the top left, on white."""
    with Image.open(io.BytesIO(jpeg)) as image:
        width, height = image.size
        grey = image.convert("L")
        assert grey.getpixel((int(width * 0.2), int(height * 0.15))) < 60
        for x, y in ((0.6, 0.1), (0.9, 0.9), (0.1, 0.6)):
            assert grey.getpixel((int(width * x), int(height * y))) > 195
