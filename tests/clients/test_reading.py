"""From a file to its text, over a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from scanrill_client import AsyncClient, Cancelled, Created, Ended, Event, Progress, ReadingFailed

from tests.clients.conftest import Barrier
from tests.support.accounts import Account
from tests.support.documents import Document
from tests.support.drawing import scripted_png

Make = Callable[..., AsyncClient]


async def test_a_file_is_read(ada: Account, client_of: Make, tmp_path: Path) -> None:
    (tmp_path / "receipt.png").write_bytes(scripted_png(lines=["# Receipt", "Total 12.00"]))
    client = client_of(ada)
    assert await client.read(tmp_path / "receipt.png") == "# Receipt\n\nTotal 12.00"
    [instance] = (await client.list()).uploads
    assert instance.filename == "receipt.png"
