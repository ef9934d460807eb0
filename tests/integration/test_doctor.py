"""`scanrill doctor` as a person calls it: beside a server, before the first, and where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.test_serve import scanrill
from tests.support.server import Server


def test_all_is_well_beside_a_running_server(server: Server) -> None:
    done = server.command("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {line["check"] for line in found} >= {"database", "migrations", "clock", "storage", "engine"}
    assert "FAIL" not in {line["status"] for line in found}
    assert done.stderr == ""


def test_what_fails_on_an_empty_directory_is_a_line_with_what_to_do_and_the_end_is_1(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = scanrill(data, "doctor", ENGINE="dummy", MIN_FREE_BYTES=str(1 << 60))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    [failed] = [number for number, line in enumerate(lines) if line.startswith("FAIL ")]
    assert "MiB are free" in lines[failed]
    assert "SCANRILL_MIN_FREE_BYTES" in lines[failed + 1]
    assert any(line.startswith("ok   engine: ") for line in lines)
    assert done.stderr == ""
    assert not (data / "scanrill.sqlite3").exists()


def test_settings_with_which_no_server_starts_are_a_line_like_others(tmp_path: Path) -> None:
    done = scanrill(tmp_path / "data", "doctor", "--json", ENGINE="dummy", ALLOWED_ORIGINS="example.org")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    [failed] = [line for line in found if line["status"] == "FAIL"]
    assert failed["check"] == "settings"
    assert "SCANRILL_ALLOWED_ORIGINS" in failed["message"]
    assert found[-1]["check"] == "engine", "and all the others are looked at"
