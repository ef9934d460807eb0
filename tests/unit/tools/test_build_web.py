"""When the web page is built anew, told by the content of its sources alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tools import build_web

PROJECT = '[dependency-groups]\nweb = ["node-in-a-wheel>=1"]\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A page and its client, as in a checkout, that was never built."""
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


def pretend_built(checkout: Path) -> None:
    """What a build leaves."""
    write(checkout / "backend_main/web/index.html", "<!doctype html>")
    write(checkout / "backend_main/web/.built-from", build_web.fingerprint(checkout))


def test_a_page_that_was_never_built_is_built(checkout: Path) -> None:
    assert build_web.is_needed(checkout)
    assert build_web.requirements(checkout) == ["node-in-a-wheel>=1"]


def test_a_page_that_is_up_to_date_needs_nothing(checkout: Path) -> None:
    pretend_built(checkout)
    assert not build_web.is_needed(checkout)
    assert build_web.requirements(checkout) == []
    build_web.build_if_needed(checkout)


@pytest.mark.parametrize(
    "source", ["web/package-lock.json", "web/src/main.tsx", "clients/typescript/src/socket.ts"]
)
def test_a_source_with_another_content_is_built_anew(source: str, checkout: Path) -> None:
    pretend_built(checkout)
    write(checkout / source, "changed")
    assert build_web.is_needed(checkout)


def test_a_source_more_one_less_and_one_renamed_are_built_anew(checkout: Path) -> None:
    pretend_built(checkout)
    write(checkout / "web/src/more.ts", "")
    assert build_web.is_needed(checkout)
    (checkout / "web/src/more.ts").unlink()
    assert not build_web.is_needed(checkout)
    (checkout / "web/src/main.tsx").rename(checkout / "web/src/other.tsx")
    assert build_web.is_needed(checkout)
    (checkout / "web/src/other.tsx").unlink()
    assert build_web.is_needed(checkout)


@pytest.mark.parametrize("lost", ["index.html", ".built-from"])
def test_half_a_build_is_built_anew(lost: str, checkout: Path) -> None:
    pretend_built(checkout)
    (checkout / "backend_main/web" / lost).unlink()
    assert build_web.is_needed(checkout)


def test_a_copy_with_other_times_is_not_built_anew(checkout: Path, tmp_path: Path) -> None:
    pretend_built(checkout)
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
def test_what_is_no_source_changes_nothing(name: str, checkout: Path) -> None:
    pretend_built(checkout)
    write(checkout / name, "whatever")
    assert not build_web.is_needed(checkout)


def test_where_there_is_nothing_to_build_from_the_build_at_hand_is_taken(checkout: Path) -> None:
    pretend_built(checkout)
    shutil.rmtree(checkout / "web")
    build_web.build_if_needed(checkout)
    shutil.rmtree(checkout / "backend_main")
    with pytest.raises(SystemExit, match="no web page"):
        build_web.build_if_needed(checkout)
