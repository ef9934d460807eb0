"""An HTTP client with a user's token."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.server import Server

WAIT_TIMEOUT_SECONDS = 30.0


@dataclass
class HttpClient:
    """A client of one server that sends a user's token."""

    server: Server
    token: str

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        self.http = httpx.Client(base_url=self.server.http, headers=headers, timeout=30)

    def post(self, body: bytes, name: str | None = None) -> httpx.Response:
        return self.http.post("/api/uploads/", params={"filename": name} if name else None, content=body)

    def send(self, *parts: tuple[str, tuple[str | None, bytes]]) -> httpx.Response:
        """Post the parts as multipart/form-data."""
        return self.http.post("/api/uploads/", files=list(parts))

    def read(self, body: bytes) -> str:
        """Post a file, wait until it is read, and return the upload's path."""
        path = f"/api/uploads/{self.post(body).json()['instance']['id']}"
        wait_until(lambda: self.http.get(f"{path}/").json()["status"] in ("processed", "error"))
        return path


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the awaited condition did not come true"
        time.sleep(0.02)


def files_in(directory: Path) -> list[str]:
    return [str(path) for path in directory.rglob("*") if path.is_file()]
