"""H9 - code that has taken over the decoder reaches nothing: no file, no process, no network, no program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.hostile import hostile_server, skip_without_measures
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

MIN_ATTEMPTS = 40


@pytest.fixture(scope="module")
def attacked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    skip_without_measures("no_new_privs", "limits", "landlock", "seccomp", "capabilities")
    server = hostile_server(tmp_path_factory.mktemp("attacked") / "data").start()
    for name in ("secret.key", "scanrill.sqlite3"):  # PostgreSQL and a configured key leave none
        (server.data_dir / name).touch()
    yield server
    assert server.stop() == 0


async def test_h9_code_in_the_decoder_reaches_nothing(attacked_server: Server) -> None:
    """With `--deployment=scaled`, the parent of the decoder is a Celery worker."""
    targets = {
        "data_dir": str(attacked_server.data_dir),
        "server_pid": attacked_server.process.pid,
    }
    token = attacked_server.token(attacked_server.user())
    async with WebSocketClient(attacked_server.url(token=token)) as client:
        reply = await client.create(scripted_png(attack="all", **targets))
        end = await client.terminal_message(reply["instance"]["id"])
    assert end["status"] == "processed", end
    process, *outcomes = end["raw_text"].splitlines()
    assert process.startswith("attempts of process")
    assert len(outcomes) >= MIN_ATTEMPTS
    assert [outcome for outcome in outcomes if not outcome.endswith(": refused")] == []
    assert not (attacked_server.data_dir / "new").exists()
