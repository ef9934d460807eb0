"""Modules of the web page in Node.js, without a browser."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
BUNDLER = WEB / "node_modules/rolldown/dist/index.mjs"
BUNDLE = """
import { rolldown } from BUNDLER;
const bundle = await rolldown({ input: process.argv[2], platform: "node" });
await bundle.write({ file: process.argv[3], format: "esm" });
"""


def bundle_for_node(module: str, directory: Path) -> Path:
    """Bundle a module below `web/src` with what it imports. Skip the test without Node.js."""
    node = shutil.which("node")
    if node is None or not BUNDLER.is_file():
        pytest.skip("LOUD: Node.js or web/node_modules is missing, so the page's parser is not tested.")
    script, bundle = directory / "bundle.mjs", directory / "module.mjs"
    script.write_text(BUNDLE.replace("BUNDLER", json.dumps(str(BUNDLER))))
    subprocess.run([node, script, WEB / "src" / module, bundle], check=True, capture_output=True)
    return bundle


def run_node(program: str, directory: Path, *, cpu_seconds: int, stdin: object) -> str:
    """Run a program with JSON on its standard input; the kernel ends it after `cpu_seconds`.

    Returns:
        Its output.
    """
    node = shutil.which("node")
    assert node is not None
    script = directory / "program.mjs"
    script.write_text(program)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))

    done = subprocess.run(
        [node, script],
        input=json.dumps(stdin),
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout
