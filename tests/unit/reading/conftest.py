"""Scans drawn on the spot, and scripts for the dummy engine inside them."""

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
    """A PNG whose text chunk tells the dummy engine what to do."""

    def write(name: str = "page.png", **script: Any) -> Path:
        chunks = PngInfo()
        chunks.add_text("scanrill", json.dumps(script))
        path = tmp_path / name
        Image.new("RGB", (64, 48), "white").save(path, pnginfo=chunks)
        return path

    return write


@pytest.fixture
def host() -> Iterator[EngineProcess]:
    host = EngineProcess("dummy", max_memory_bytes=512 << 20)
    yield host
    host.stop()


def wait_until(true: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.01)
