"""Decision whether the web page needs a build, from the contents of its sources."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tools import build_web

PROJECT = '[dependency-groups]\nweb = ["node-in-a-wheel>=1"]\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with sources of the page and its client, without a build."""
    for name, text in {
        "pyproject.toml": PROJECT,
        "web/package.json": "{}",
        "web/package-lock.json": "{}",
        "web/src/main.tsx": "render();",
        "clients/typescript/src/socket.ts": "export {};",
    }.items():
        write(tmp_path / "checkout" / name, text)
    return tmp_path / "checkout"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def fake_build(checkout: Path) -> None:
    """Write the files that a build leaves."""
    write(checkout / "backend_main/web/index.html", "<!doctype html>")
    write(checkout / "backend_main/web/.built-from", build_web.fingerprint(checkout))


def test_build_is_needed_without_a_build(checkout: Path) -> None:
    assert build_web.is_needed(checkout)
    assert build_web.requirements(checkout) == ["node-in-a-wheel>=1"]


def test_build_is_not_needed_if_up_to_date(checkout: Path) -> None:
    fake_build(checkout)
    assert not build_web.is_needed(checkout)
    assert build_web.requirements(checkout) == []
    build_web.build_if_needed(checkout)


@pytest.mark.parametrize(
    "source", ["web/package-lock.json", "web/src/main.tsx", "clients/typescript/src/socket.ts"]
)
def test_build_is_needed_after_a_change_of_a_source(source: str, checkout: Path) -> None:
    fake_build(checkout)
    write(checkout / source, "changed")
    assert build_web.is_needed(checkout)


def test_build_is_needed_after_adding_renaming_or_removing_sources(checkout: Path) -> None:
    fake_build(checkout)
    write(checkout / "web/src/more.ts", "")
    assert build_web.is_needed(checkout)
    (checkout / "web/src/more.ts").unlink()
    assert not build_web.is_needed(checkout)
    (checkout / "web/src/main.tsx").rename(checkout / "web/src/other.tsx")
    assert build_web.is_needed(checkout)
    (checkout / "web/src/other.tsx").unlink()
    assert build_web.is_needed(checkout)


@pytest.mark.parametrize("lost", ["index.html", ".built-from"])
def test_build_is_needed_if_the_build_is_incomplete(lost: str, checkout: Path) -> None:
    fake_build(checkout)
    (checkout / "backend_main/web" / lost).unlink()
    assert build_web.is_needed(checkout)


def test_build_is_not_needed_for_a_copy_with_other_file_times(checkout: Path, tmp_path: Path) -> None:
    fake_build(checkout)
    copy = shutil.copytree(checkout, tmp_path / "elsewhere")
    for path in copy.rglob("*"):
        os.utime(path, (0, 2_000_000_000))
    assert not build_web.is_needed(copy)


@pytest.mark.parametrize(
    "name",
    [
        "web/node_modules/preact/index.js",
        "web/dist/index.js",
        "web/.env.local",
        "clients/typescript/dist/index.js",
        "clients/typescript/tests/socket.test.ts",
    ],
)
def test_build_is_not_needed_after_changes_of_other_files(name: str, checkout: Path) -> None:
    fake_build(checkout)
    write(checkout / name, "whatever")
    assert not build_web.is_needed(checkout)


def test_build_without_sources_keeps_the_existing_build(checkout: Path) -> None:
    fake_build(checkout)
    shutil.rmtree(checkout / "web")
    build_web.build_if_needed(checkout)
    shutil.rmtree(checkout / "backend_main")
    with pytest.raises(SystemExit, match="web page"):
        build_web.build_if_needed(checkout)
