"""Step 10 - the engine for tests: it reads a script, and misbehaves when the script says so.

The script is JSON in the page's `info["scanrill"]` (a PNG tEXt chunk), or in the
ImageDescription of a TIFF's page:

    lines           what it "recognises"; a text beginning with "# " or "## " is a heading
    line_seconds    sleep before each line
    wait_for        a path: block before line number `wait_after` (default 0) until it exists
    touch           a path: created when the page starts
    log             a path: a line with the page's number is appended when the page starts
    then, after     misbehave after that many lines (default: all): crash, hang, oom, raise, slow
    only_once       a path: misbehave only while it does not exist, and create it
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ..documents.document import PageImage
from ..output.markdown import MarkdownWriter
from ..types import Box, Line
from .base import Engine

DEFAULT_LINES = ("# Dummy page", "The quick brown fox jumps", "over the lazy dog.")
POLL_SECONDS = 0.01
SLOW_SECONDS = 5.0
OOM_CHUNK_BYTES = 32 * 1024 * 1024


class DummyEngine(Engine):
    name = "dummy"
    languages = frozenset({"en"})
    is_test_engine = True

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        script = _script(page)
        texts: list[str] = script.get("lines", list(DEFAULT_LINES))
        after = script.get("after", len(texts))
        if touch := script.get("touch"):
            Path(touch).touch()
        if log := script.get("log"):
            with open(log, "a") as file:
                file.write(f"{page.number}\n")
        writer = MarkdownWriter()
        for index, text in enumerate(texts):
            _wait(script, index)
            if index == after:
                _inject_fault(script)
            time.sleep(script.get("line_seconds", 0.0))
            yield _line(page, index, writer, text, before=texts[index - 1] if index else "")
        _wait(script, len(texts))
        if after >= len(texts):
            _inject_fault(script)


def _script(page: PageImage) -> dict[str, Any]:
    description = page.info.get("description", "")
    script = json.loads(page.info.get("scanrill") or (description if description.startswith("{") else "{}"))
    if not isinstance(script, dict):
        raise TypeError("the script of a dummy page is a JSON object")
    return script


def _wait(script: dict[str, Any], index: int) -> None:
    if "wait_for" in script and index == script.get("wait_after", 0):
        while not Path(script["wait_for"]).exists():
            time.sleep(POLL_SECONDS)


def _line(page: PageImage, index: int, writer: MarkdownWriter, text: str, before: str) -> Line:
    marks, words = _heading(text)
    gap = "\n\n" if marks or _heading(before)[0] else "\n"
    return Line(
        page=page.number,
        text=words,
        markdown=writer.write(gap + marks, words),
        box=_box(page, index),
        confidence=1.0,
    )


def _heading(text: str) -> tuple[str, str]:
    for marks in ("# ", "## "):
        if text.startswith(marks):
            return marks, text.removeprefix(marks)
    return "", text


def _box(page: PageImage, index: int) -> Box:
    top, bottom = 20.0 * index, 20.0 * index + 16
    return ((0.0, top), (float(page.width), top), (float(page.width), bottom), (0.0, bottom))


def _inject_fault(script: dict[str, Any]) -> None:
    then = script.get("then")
    if then is None or not _is_first(script.get("only_once")):
        return
    {"crash": os.abort, "hang": _hang, "oom": _fill_memory, "raise": _raise, "slow": _slow}[then]()


def _is_first(marker: str | None) -> bool:
    if marker is None:
        return True
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _hang() -> NoReturn:
    while True:
        time.sleep(3600)


def _fill_memory() -> NoReturn:
    hoard = []
    while True:
        # Filled with ones: zero pages would never become resident.
        hoard.append(b"\x01" * OOM_CHUNK_BYTES)
        time.sleep(POLL_SECONDS)


def _raise() -> NoReturn:
    raise RuntimeError("the script told the dummy engine to raise")


def _slow() -> None:
    time.sleep(SLOW_SECONDS)
