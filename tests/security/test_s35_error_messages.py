"""S35 - an error message reveals internals: a traceback, a path of the server, SQL, or a name of the code."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_bad_requests import INVALID_FRAMES
from tests.support.accounts import Account
from tests.support.server import Server

INTERNALS = re.compile(
    r"Traceback|\.py\b|sqlite|psycopg|SELECT|INSERT|core_|django|msgspec|backend_main|<class|0x[0-9a-f]{6}"
)
SECRET = "SELECT password FROM core_user; /secret/module.py"
DEFECT_PROGRAM = f"""
from backend_main.core.db import executor
async def run_for_user(*arguments, **named):
    raise RuntimeError({SECRET!r})
executor.run_for_user = run_for_user
from backend_main.cli.main import main
main()
"""
BODIES = [b"{", b"[]", b'{"filename": 1}', b'{"owner": "x"}', b"\xff\xfe", b'{"filename": "\\ud800"}']
QUERIES = ["limit=a", "limit=-1", "cursor=x", "cursor=%00", "status=x", "search=%00"]
FILES = [b"", b"x", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff" + bytes(40), b"<svg/>"]


def assert_no_internals(server: Server, text: str) -> None:
    assert text
    assert not INTERNALS.search(text), text
    assert str(server.data_dir) not in text


async def test_s35_errors_over_the_socket_have_no_internals(server: Server) -> None:
    account = Account.create(server)
    async with account.client() as client:
        for frame, _, _ in INVALID_FRAMES.values():
            await client.socket.send(frame)
            assert_no_internals(server, str((await client.receive())["error"]))


def test_s35_errors_over_http_have_no_internals(server: Server) -> None:
    path = f"/api/uploads/{uuid.uuid4()}/"
    headers = {**Account.create(server).headers, "Content-Type": "application/json"}
    with httpx.Client(base_url=server.http, headers=headers) as http:
        answers = [
            *(http.patch(path, content=body) for body in BODIES),
            *(http.post(f"{path}retry", content=body) for body in BODIES),
            *(http.post("/api/token/", content=body) for body in BODIES),
            *(http.post("/api/uploads/", content=body) for body in FILES),
            *(http.get(f"/api/uploads/?{query}") for query in QUERIES),
            *(
                http.get(f"{path}{rest}")
                for rest in ("file", "pages/1", "pages/1/image", "..%2f..%2fetc/passwd")
            ),
        ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.request.url
        assert_no_internals(server, answer.text)


@pytest.fixture
def server_with_a_defect(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data")
    server.program = [sys.executable, "-c", DEFECT_PROGRAM]
    yield server.start()
    assert server.stop() == 0


async def test_s35_defect_of_the_server_is_in_its_log_only(server_with_a_defect: Server) -> None:
    server, path = server_with_a_defect, f"/api/uploads/{uuid.uuid4()}/"
    account = Account.create(server)
    async with account.client() as client:
        reply = await client.request({"type": "retrieve", "instance_id": str(uuid.uuid4())})
    answer = httpx.get(server.http + path, headers=account.headers)
    assert answer.status_code == 500
    for text in (str(reply["error"]), answer.text):
        assert "See the server log." in text
        assert_no_internals(server, text)
    assert server.log.count(SECRET) >= 2
