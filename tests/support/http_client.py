"""An HTTP client with a user's token."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tests.support.processes import wait_until
from tests.support.server import Server


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
        wait_until(
            lambda: self.http.get(f"{path}/").json()["status"] in ("processed", "error"), "the file is read"
        )
        return path
