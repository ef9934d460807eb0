"""Tests of the runtimes of models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

IMPORT = """
from backend_main.reading import inference
inference.import_onnxruntime()
try:
    inference.import_openvino()
except ImportError:  # not on every processor
    pass
"""


def test_import_of_a_runtime_stores_nothing_in_the_home_directory(tmp_path: Path) -> None:
    """Both would store an identifier of the machine there, for telemetry."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "CI"))}
    subprocess.run([sys.executable, "-c", IMPORT], env=environment | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
