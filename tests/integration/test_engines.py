"""Tests of `scanrill engines`, of the options of `scanrill read`, and of an engine of another package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backend_main.cli.main import app
from backend_main.reading.engines.tesseract import TesseractEngine
from tests.support.fonts import page_png_in
from tests.support.page_images import page_png
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import SCANRILL
from tests.support.wheel import ROOT, UV


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCANRILL_VISION_URL", raising=False)


def test_engines_command_lists_abilities_and_missing_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TesseractEngine, "unavailable_reason", classmethod(lambda _: None))
    monkeypatch.setattr(TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"ru"})))
    listed = run("engines")
    assert listed.exit_code == 0
    rows = {line.split()[0]: line for line in listed.stdout.splitlines() if line[:1].strip()}
    assert list(rows) == ["engine", "rapid", "tesseract", "vision"]
    assert "streams lines, with boxes" in rows["rapid"]
    assert "de" in rows["rapid"].split()
    assert "ru" in rows["tesseract"].split()
    assert "not installed: SCANRILL_VISION_URL" in rows["vision"]


def test_engines_command_prints_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCANRILL_VISION_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("SCANRILL_VISION_MODEL", "any")
    rows = {row["name"]: row for row in json.loads(run("engines", "--json").stdout)}
    assert rows["vision"]["installed"]
    assert rows["vision"]["streams_tokens"]
    assert rows["vision"]["is_remote"]
    assert not rows["vision"]["provides_boxes"]
    assert "olmocr" in rows["vision"]["profiles"]
    assert "de" in rows["rapid"]["languages"]
    assert rows["dummy"]["is_test_engine"]


@pytest.fixture
def three(tmp_path: Path) -> Path:
    path = tmp_path / "three.tiff"
    path.write_bytes(scripted_tiff([{"lines": [f"page {number}"]} for number in range(1, 4)]))
    return path


@pytest.mark.parametrize(("form", "printed"), [("md", "page 1\n\npage 3\n"), ("txt", "page 1\n\npage 3\n")])
def test_read_prints_only_the_requested_pages(form: str, printed: str, three: Path) -> None:
    result = run("read", "--engine", "dummy", "--pages", "1,3", "--languages", "en", "--format", form, three)
    assert (result.exit_code, result.stdout) == (0, printed)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--engine", "magic", "Installed: dummy, rapid, tesseract, vision"),
        ("--engine", "vision", "SCANRILL_VISION_URL"),
        ("--languages", "ru", "does not read ru"),
        ("--profile", "x", "no profile"),
        ("--pages", "0", "count from 1"),
        ("--furniture", "some", "is not one of 'drop', 'keep'"),
        ("--formulas", "some", "is not one of 'text', 'vision'"),
    ],
)
def test_read_with_an_unsupported_option_is_a_usage_error(
    option: str, value: str, sentence: str, three: Path
) -> None:
    engine = [] if option == "--engine" else ["--engine", "dummy"]
    result = run("read", *engine, option, value, three)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_read_prints_warnings_of_pages_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "russian.png"
    path.write_bytes(page_png_in("ru"))
    monkeypatch.setenv("PATH", "/nowhere")  # no Tesseract
    result = run("read", path)
    assert result.exit_code == 0
    assert "could not read most of page 1" in result.stderr
    assert "could not read" not in result.stdout


# ── an engine of another package ──


def test_example_engine_installs_and_reads(tmp_path: Path) -> None:
    """Install it as a user would, but into a separate directory and without a network."""
    example = ROOT / "examples" / "scanrill-stamp"
    assert len((example / "scanrill_stamp" / "__init__.py").read_text().splitlines()) <= 40
    target, page = tmp_path / "target", tmp_path / "page.png"
    page.write_bytes(page_png(["dark", "letters"]))
    install = ("pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(target), str(example))
    done = subprocess.run([UV, *install, "--python", sys.executable], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    environment = os.environ | {"PYTHONPATH": str(target)}

    def scanrill(*arguments: str) -> str:
        ran = subprocess.run([*SCANRILL, *arguments], env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert '"name": "stamp"' in scanrill("engines", "--json")
    printed = scanrill("read", "--engine", "stamp", str(page))
    assert printed.startswith("# 1000 × 216 pixels\n")
    assert "% dark" in printed
