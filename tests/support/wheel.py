"""The wheel of this checkout, installed in its own environment once per test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import deployment_mode

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
BUILD_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Wheel:
    """The built and installed wheel. `dist` holds the sdist and the wheel built from it.

    On its PATH, `node`, `npm` and `npx` are fakes that record their calls.
    """

    directory: Path

    @property
    def dist(self) -> Path:
        return self.directory / "dist"

    @property
    def scanrill(self) -> Path:
        return self.directory / "venv" / "bin" / "scanrill"

    @property
    def node_was_called(self) -> bool:
        return (self._fake_node_directory / "called").exists()

    @property
    def _fake_node_directory(self) -> Path:
        return self.directory / "fake-node"

    @property
    def environment(self) -> dict[str, str]:
        """The process environment with the fake Node.js commands first on PATH."""
        inherited = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_COMPILE_BYTECODE")}
        return inherited | {"PATH": f"{self._fake_node_directory}{os.pathsep}{os.environ['PATH']}"}

    def make(self) -> None:
        """Build and install once; other workers of the run wait."""
        self.directory.mkdir(exist_ok=True)
        with open(self.directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.scanrill.exists():
                self._create_fake_node()
                self._build()
                self._install()

    def _create_fake_node(self) -> None:
        self._fake_node_directory.mkdir()
        for name in ("node", "npm", "npx"):
            command = self._fake_node_directory / name
            command.write_text(f"#!/bin/sh\ntouch '{self._fake_node_directory}/called'\nexit 99\n")
            command.chmod(0o755)

    def _build(self) -> None:
        self._uv("build", "--quiet", "--python", sys.executable, "--out-dir", str(self.dist), str(ROOT))

    def _install(self) -> None:
        """Install into an empty environment, with the locked releases."""
        locked, environment = self.directory / "locked.txt", self.directory / "venv"
        export = ("export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project", "--no-hashes")
        extras = "" if deployment_mode.is_embedded() else "[scale]"
        self._uv(*export, "--all-extras", "--project", str(ROOT), "--output-file", str(locked))
        self._uv("venv", "--quiet", "--python", sys.executable, str(environment))
        [wheel] = self.dist.glob("*.whl")
        install = ("pip", "install", "--quiet", "--python", str(environment), "--constraint", str(locked))
        self._uv(*install, "--compile-bytecode", f"scanrill{extras} @ {wheel.as_uri()}")

    def _uv(self, *arguments: str) -> None:
        done = subprocess.run(
            [UV, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=BUILD_TIMEOUT_SECONDS,
        )
        assert done.returncode == 0, done.stderr
