"""The wheel of this checkout in an environment of its own: made once for all workers of a run."""

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
    """`dist` holds the sdist and the wheel built out of it; `path` has no Node.js but a trap."""

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
        return self.directory / "trap"

    @property
    def environment(self) -> dict[str, str]:
        """An environment in which whoever calls the machine's Node.js is caught."""
        plain = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_COMPILE_BYTECODE")}
        return plain | {"PATH": f"{self._fake_node_directory}{os.pathsep}{os.environ['PATH']}"}

    def make(self) -> None:
        """Where another worker has begun, this waits for it."""
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
            trap = self._fake_node_directory / name
            trap.write_text(f"#!/bin/sh\ntouch '{self._fake_node_directory}/called'\nexit 99\n")
            trap.chmod(0o755)

    def _build(self) -> None:
        self._uv("build", "--quiet", "--python", sys.executable, "--out-dir", str(self.dist), str(ROOT))

    def _install(self) -> None:
        """Into an empty environment, with the releases that the lock names."""
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
