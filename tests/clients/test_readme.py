"""Examples in the README of the client, run as they are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("code", EXAMPLES, ids=["async", "sync", "file object"])
def test_readme_example_reads_a_scan(ada: Account, tmp_path: Path, code: str) -> None:
    (tmp_path / "example.py").write_text(code)
    (tmp_path / "scan.png").write_bytes(scripted_png(lines=["# Invoice", "Total 12.00"]))
    for _ in range(2):  # the second upload is a duplicate
        run = subprocess.run(
            [sys.executable, "-W", "error", "example.py", ada.server.http, ada.mint(), "scan.png"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout.endswith("# Invoice\n\nTotal 12.00\n")
        assert run.stderr == ""
