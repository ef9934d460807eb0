"""Commands `read` and `settings`, and wrong usage of all commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backend_main import __version__
from backend_main.cli.main import app
from backend_main.core.conf import Conf
from tests.integration.test_serve import refusal, scanrill
from tests.support.page_images import scripted_png

# Tests of output and exit code alone run in this process: a new process costs seconds.


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def read(*arguments: str | Path) -> Result:
    return run("read", "--engine", "dummy", *arguments)


@pytest.fixture
def scans(tmp_path: Path) -> list[Path]:
    """Return three files; the second is not an image."""
    pages = [scripted_png(lines=["# Title", "one", "two"]), b"no scan", scripted_png(lines=["a *b*", "c"])]
    paths = [tmp_path / name for name in ("first.png", "broken.png", "last.png")]
    for path, data in zip(paths, pages, strict=True):
        path.write_bytes(data)
    return paths


# ── read ──


def test_read_prints_markdown(scans: list[Path]) -> None:
    result = read(scans[0])
    assert (result.exit_code, result.stdout) == (0, "# Title\n\none\ntwo\n")


def test_read_with_format_txt_prints_plain_text(scans: list[Path]) -> None:
    result = read("--format", "txt", scans[0])
    assert result.exit_code == 0
    assert "#" not in result.stdout
    assert result.stdout.split() == ["Title", "one", "two"]
    assert result.stdout.endswith("\n")


def test_read_with_format_json_prints_lines_and_boxes(scans: list[Path]) -> None:
    result = read("--format", "json", scans[0])
    document = json.loads(result.stdout)
    assert document.keys() == {"file", "pages"}
    assert document["file"] == str(scans[0])
    [page] = document["pages"]
    assert (page["schema_version"], page["number"]) == (1, 1)
    assert page["markdown"] == "# Title\n\none\ntwo"
    assert [line["text"] for line in page["lines"]] == ["Title", "one", "two"]
    assert len(page["lines"][0]["box"]) == 4
    spans = [line["span"] for line in page["lines"]]
    assert [page["markdown"][start:end] for start, end in spans] == ["# Title", "one", "two"]
    blocks = [(block["type"], block["lines"], block["text"]) for block in page["blocks"]]
    assert blocks == [("heading", [0], "Title"), ("paragraph", [1, 2], "one two")]


def test_read_separates_files_by_a_blank_line(scans: list[Path]) -> None:
    result = read(scans[0], scans[2])
    assert result.exit_code == 0
    assert result.stdout == "# Title\n\none\ntwo\n\n" + "a \\*b\\*\nc\n"
    result = read("--format", "txt", scans[0], scans[2])
    assert len(result.stdout.split("\n\n")) >= 2


@pytest.mark.parametrize("output_format", ["md", "txt", "json"])
def test_read_reports_a_broken_file_and_reads_the_others(output_format: str, scans: list[Path]) -> None:
    result = read("--format", output_format, *scans)
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(f"scanrill: {scans[1]}: ")
    assert "Title" in result.stdout
    assert {"md": "\nc\n", "txt": " c\n", "json": '"text": "c"'}[output_format] in result.stdout
    assert str(scans[1]) not in result.stdout


def test_read_output_has_the_format_of_its_name(scans: list[Path], tmp_path: Path) -> None:
    for name, start in (("a.docx", b"PK"), ("a.html", b"<!DOCTYPE html>"), ("a.md", b"# Title")):
        result = read(scans[0], "-o", tmp_path / name)
        assert (result.exit_code, result.output) == (0, "")
        assert (tmp_path / name).read_bytes().startswith(start)
    assert read("--format", "hocr", scans[0]).stdout.startswith("<?xml")
    assert read(scans[0], "-o", tmp_path / "a.json").exit_code == 0
    assert json.loads((tmp_path / "a.json").read_text())["content_type"] == "image/png"


def test_read_output_that_fails_leaves_no_file(scans: list[Path], tmp_path: Path) -> None:
    for file, name, message in (
        (scans[1], "a.docx", "broken.png: "),
        (scans[0], "a.xlsx", "The pages have no tables."),
        (scans[0], "missing/a.md", "Cannot write "),
    ):
        result = scanrill(
            tmp_path / "data", "read", "--engine", "dummy", str(file), "-o", str(tmp_path / name)
        )
        assert (result.returncode, result.stdout) == (1, "")
        assert message in result.stderr
        assert not (tmp_path / name).exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_read_of_several_files_prints_json_that_is_an_array(scans: list[Path]) -> None:
    result = read("--format", "json", *scans, "missing.png")
    assert [document["file"] for document in json.loads(result.stdout)] == [str(scans[0]), str(scans[2])]
    assert result.exit_code == 1
    assert [line.partition(": ")[2].partition(":")[0] for line in result.stderr.splitlines()] == [
        str(scans[1]),
        "missing.png",
    ]
    assert json.loads(read("--format", "json", scans[1], "missing.png").stdout) == []


def test_read_with_json_lines_prints_a_line_for_each_file(scans: list[Path]) -> None:
    lines = read("--json-lines", *scans).stdout.splitlines()
    assert [json.loads(line)["file"] for line in lines] == [str(scans[0]), str(scans[2])]


def test_read_of_standard_input(scans: list[Path]) -> None:
    result = CliRunner().invoke(app, ["read", "--engine", "dummy", "-"], input=scans[0].read_bytes())
    assert (result.exit_code, result.stdout) == (0, "# Title\n\none\ntwo\n")


def test_read_of_a_folder_writes_a_result_for_each_image(scans: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for name, content in (
        ("b.png", scans[0].read_bytes()),
        ("below/c.png", scans[2].read_bytes()),
        (".hidden.png", scans[0].read_bytes()),
        ("notes.txt", b"not an image"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "link.png").symlink_to(scans[0])
    result = read(folder, "-o", tmp_path / "out")
    assert (result.exit_code, result.output) == (0, "")
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert written == {"b.png.md", "below/c.png.md"}
    assert (tmp_path / "out/b.png.md").read_text() == "# Title\n\none\ntwo\n"


@pytest.mark.parametrize("output_format", ["md", "docx"])
def test_read_to_a_full_device_prints_one_message(output_format: str, scans: list[Path]) -> None:
    command = [
        sys.executable,
        "-c",
        "from backend_main.cli.main import main; main()",
        "read",
        "--engine",
        "dummy",
        str(scans[0]),
    ]
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [*command, "--format", output_format], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert run.returncode == 1
    assert run.stderr == "scanrill: Cannot write the output: No space left on device.\n"


def test_read_to_a_closed_pipe_prints_nothing(scans: list[Path]) -> None:
    command = [
        sys.executable,
        "-c",
        "from backend_main.cli.main import main; main()",
        "read",
        "--engine",
        "dummy",
        str(scans[0]),
    ]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        run = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (1, "")


def test_read_needs_no_data_directory(scans: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    result = scanrill(tmp_path / "file" / "below", "read", "--engine", "dummy", *map(str, scans))
    assert result.returncode == 1
    assert result.stdout.startswith("# Title\n\none\ntwo\n\n")
    assert result.stdout.endswith("c\n")
    assert "Traceback" not in result.stderr
    [line] = result.stderr.splitlines()
    assert line.startswith("scanrill: ")


# ── usage ──


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["--frobnicate"],
        ["serve", "--port", "65536"],
        ["serve", "--port", "http"],
        ["serve", "more"],
        ["user", "add"],
        ["user", "frobnicate"],
        ["token"],
        ["link", "anna", "bert"],
        ["link", "--url", "scans.example"],
        ["link", "--url", "ftp://scans.example"],
        ["token", "anna", "--ttl", "soon"],
        ["token", "anna", "--ttl", "0"],
        ["token", "anna", "--ttl", "-1h"],
        ["token", "anna", "--ttl", "1w"],
        ["read"],
        ["read", "--json-lines", "--format", "md", "pyproject.toml"],
        ["read", "--json-lines", "-o", "a.json", "pyproject.toml"],
        ["read", "pyproject.toml", "Makefile", "--format", "docx"],
        ["read", "--format", "odt", "pyproject.toml"],
        ["read", "pyproject.toml", "Makefile", "-o", "both.docx"],
        ["export"],
        ["export", "not-an-id"],
        ["export", "00000000-0000-0000-0000-000000000000", "--format", "odt"],
        ["export", "00000000-0000-0000-0000-000000000000", "--pages", "0"],
        ["read", "--engine", "magic", "pyproject.toml"],
        ["settings", "more"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_prints_to_stderr_only(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["user"], ["user", "add"], ["token"], ["link"], ["read"], ["settings"]]
)
def test_help_of_every_command(command: list[str]) -> None:
    for option in ("--help", "-h"):
        result = run(*command, option)
        assert result.exit_code == 0
        assert "Usage:" in result.stdout


def test_version_prints_only_the_version() -> None:
    assert run("--version").stdout == f"{__version__}\n"


# ── settings ──


def test_settings_lists_all_settings_and_hides_secrets(tmp_path: Path) -> None:
    canary = "do-not-show-me-" + "x" * 40
    printed = scanrill(tmp_path, "settings", SECRET_KEY=canary, READERS="3", ENGIN="misspelt")
    assert printed.returncode == 0
    rows = {line.split()[0]: line for line in printed.stdout.splitlines() if line.startswith("SCANRILL_")}
    assert rows.keys() == {f"SCANRILL_{name.upper()}" for name in Conf.__struct_fields__}
    assert rows["SCANRILL_READERS"].split()[1:3] == ["3", "1"]
    assert "(set)" in rows["SCANRILL_SECRET_KEY"]
    assert canary not in printed.stdout + printed.stderr
    assert "SCANRILL_ENGIN" in printed.stderr


def test_invalid_setting_stops_every_command_with_one_line(tmp_path: Path) -> None:
    for command in (["settings"], ["user", "add", "anna", "--no-password"]):
        assert "SCANRILL_MAX_PIXELS" in refusal(scanrill(tmp_path, *command, MAX_PIXELS="0"))
