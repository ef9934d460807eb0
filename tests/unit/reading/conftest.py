"""Fixtures of the tests of reading: scripted scans, and an engine process."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from backend_main.reading import EngineProcess

Scripted = Callable[..., Path]


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    """Factory of PNG files with a script for the dummy engine."""

    def write(name: str = "page.png", **script: Any) -> Path:
        chunks = PngInfo()
        chunks.add_text("scanrill", json.dumps(script))
        path = tmp_path / name
        Image.new("RGB", (64, 48), "white").save(path, pnginfo=chunks)
        return path

    return write


@pytest.fixture
def process() -> Iterator[EngineProcess]:
    process = EngineProcess("dummy", max_memory_bytes=512 << 20)
    yield process
    process.stop()


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not become true in time"
        time.sleep(0.01)
