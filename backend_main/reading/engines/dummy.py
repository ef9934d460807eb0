"""Engine for tests: each page contains a script of lines and faults.

The script is JSON in the page's `info["scanrill"]` (a PNG tEXt chunk), or in the ImageDescription of a TIFF
page:

    lines           recognized lines; "# " or "## " before a text makes it a heading
    line_seconds    time to sleep before each line
    wait_for        path of a file: block before line `wait_after` (default 0) until it exists
    touch           path of a file to create when the page starts
    log             path of a file to append the page number to when the page starts
    then            fault: crash, hang, oom, raise or slow
    after           number of lines before the fault (default: all)
    only_once       path of a file: the fault happens only if it does not exist, and creates it
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ..documents.document import PageImage
from ..output.markdown import MarkdownWriter
from ..types import Line, level_box
from ..words import even_words
from .base import Engine

DEFAULT_LINES = ("# Dummy page", "The quick brown fox jumps", "over the lazy dog.")
POLL_SECONDS = 0.01
SLOW_SECONDS = 5.0
OOM_CHUNK_BYTES = 32 * 1024 * 1024


class DummyEngine(Engine):
    """Engine that follows the script in a page."""

    name = "dummy"
    provides_words = True
    languages = frozenset({"en"})
    is_test_engine = True
    is_confined = False  # scripts create files

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        script = _parse_script(page)
        texts: list[str] = script.get("lines", list(DEFAULT_LINES))
        fault_after = script.get("after", len(texts))
        if touch := script.get("touch"):
            Path(touch).touch()
        if log := script.get("log"):
            with open(log, "a") as file:
                file.write(f"{page.number}\n")
        writer = MarkdownWriter()
        for index, text in enumerate(texts):
            _wait(script, index)
            if index == fault_after:
                _inject_fault(script)
            time.sleep(script.get("line_seconds", 0.0))

            mark, words = _split_heading(text)
            mark_above, _ = _split_heading(texts[index - 1] if index else "")
            gap = "\n\n" if mark or mark_above else "\n"
            box = level_box(0.0, 20.0 * index, float(page.width), 20.0 * index + 16)
            markdown = writer.write(gap + mark, words)
            yield Line(page.number, words, markdown, box, confidence=1.0, words=even_words(words, box, 1.0))

        _wait(script, len(texts))
        if fault_after >= len(texts):
            _inject_fault(script)


def _parse_script(page: PageImage) -> dict[str, Any]:
    description = page.info.get("description", "")
    text = page.info.get("scanrill") or (description if description.startswith("{") else "{}")
    script = json.loads(text)
    if not isinstance(script, dict):
        raise TypeError("The script of a page must be a JSON object.")
    return script


def _wait(script: dict[str, Any], index: int) -> None:
    if "wait_for" in script and index == script.get("wait_after", 0):
        while not Path(script["wait_for"]).exists():
            time.sleep(POLL_SECONDS)


def _split_heading(text: str) -> tuple[str, str]:
    """Return the mark of a heading, which may be empty, and its words."""
    for mark in ("# ", "## "):
        if text.startswith(mark):
            return mark, text.removeprefix(mark)
    return "", text


def _inject_fault(script: dict[str, Any]) -> None:
    fault = script.get("then")
    if fault is None:
        return
    if (marker := script.get("only_once")) is not None:
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return

    match fault:
        case "crash":
            os.abort()
        case "hang":
            while True:
                time.sleep(3600)
        case "oom":
            _fill_memory()
        case "raise":
            raise RuntimeError("The script of the page requested this error.")
        case "slow":
            time.sleep(SLOW_SECONDS)
        case _:
            raise ValueError(f"The script of the page has the unknown fault {fault!r}.")


def _fill_memory() -> NoReturn:
    chunks = []
    while True:
        # Filled with ones: zero pages would never become resident.
        chunks.append(b"\x01" * OOM_CHUNK_BYTES)
        time.sleep(POLL_SECONDS)
