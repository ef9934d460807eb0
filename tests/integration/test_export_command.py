"""Command `export`, beside a server."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.searchable_pdfs import printed_pdf
from tests.support.server import Server


def test_export_writes_uploads_of_any_user(server: Server, tmp_path: Path) -> None:
    account = Account.create(server)
    http_client = HttpClient(server, account.mint())
    ids = []
    for name in ("one", "two"):
        path = http_client.read(scripted_png(lines=[name]))
        ids.append(http_client.http.get(f"{path}/").json()["id"])
    printed = server.command("export", ids[0])
    assert (printed.returncode, printed.stdout) == (0, "one\n"), printed.stderr
    written = server.command("export", ids[1], "-o", str(tmp_path / "two.json"))
    assert (written.returncode, written.stdout) == (0, ""), written.stderr
    assert json.loads((tmp_path / "two.json").read_text())["pages"][0]["markdown"] == "two"
    archived = server.command("export", *ids, "-o", str(tmp_path / "all.zip"))
    assert archived.returncode == 0, archived.stderr
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sorted(archive.read(name) for name in archive.namelist()) == [b"one\n", b"two\n"]
    path = http_client.read(printed_pdf((100, 200, 200, 150)))
    with_figure = http_client.http.get(f"{path}/").json()["id"]
    embedded = server.command("export", with_figure, "--images", "embed")
    assert "](data:image/jpeg;base64," in embedded.stdout, embedded.stderr
    invalid = server.command("export", with_figure, "--images", "all")
    assert (invalid.returncode, "Choose one of none, link, embed." in invalid.stderr) == (2, True)
    unknown = server.command("export", "00000000-0000-0000-0000-000000000000")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "There is no upload 00000000-0000-0000-0000-000000000000." in unknown.stderr
    http_client.http.close()
