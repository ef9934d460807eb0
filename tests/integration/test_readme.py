"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.page_images import scripted_png
from tests.support.server import Server

README = Path(__file__).parents[2] / "README.md"


def test_the_python_client_of_the_readme_reads_a_scan(server: Server, token: str, tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert code is not None
    (tmp_path / "client.py").write_text(code[1])
    (tmp_path / "scan.png").write_bytes(scripted_png(lines=["# Invoice", "Total 12.00"]))

    run = subprocess.run(
        [sys.executable, "client.py", server.url(token=token), "scan.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("# Invoice\n\nTotal 12.00\n")
