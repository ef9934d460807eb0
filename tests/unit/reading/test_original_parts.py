"""Parts of an original from the confined process: what the parent accepts of its replies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.reading import EngineProcess, Options, UnreadableFile
from backend_main.reading.child_process import ipc
from backend_main.reading.child_process.ipc import Failed, OriginalPart, PageImageReply, ReadFinished, Reply
from backend_main.reading.searchable_pdf import PdfPicture
from tests.support.page_images import page_png


def _messages(*replies: Reply) -> list[bytes]:
    received: Iterator[Reply] = iter(replies)
    return list(ipc.part_messages(lambda: next(received), lambda: None))


def test_part_messages_end_with_the_read() -> None:
    assert _messages(OriginalPart(b"a"), OriginalPart(b"b"), ReadFinished()) == [b"a", b"b"]


def test_part_messages_raise_the_error_of_the_process() -> None:
    with pytest.raises(UnreadableFile, match="It is broken"):
        _messages(OriginalPart(b"a"), Failed("UnreadableFile", "It is broken."))


@pytest.mark.parametrize("reply", [PageImageReply(b""), OriginalPart(bytes(11))])
def test_part_messages_of_another_kind_or_too_long_are_a_value_error(
    reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ipc, "MAX_PART_BYTES", 10)
    with pytest.raises(ValueError, match="too many"):
        _messages(reply)


def test_process_returns_parts_and_renders_afterwards(tmp_path: Path) -> None:
    path, broken = tmp_path / "page.png", tmp_path / "broken.pdf"
    path.write_bytes(page_png(["one line"]))
    broken.write_bytes(b"%PDF-1.4\nnothing")
    with EngineProcess(engine="", threads=1) as process:
        with pytest.raises(UnreadableFile):
            process.original_parts(broken)
        parts = process.original_parts(path, Options())
        assert isinstance(parts, PdfPicture)
        assert parts.data in path.read_bytes()
        assert process.render_page(path, 1, 200)[:2] == b"\xff\xd8"
