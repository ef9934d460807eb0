"""Command `doctor`: beside a server, before the first start, and with problems."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.test_serve import scanrill
from tests.support.server import Server


def test_doctor_beside_a_running_server_finds_no_problem(server: Server) -> None:
    done = server.command("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {line["check"] for line in found} >= {"database", "migrations", "clock", "storage", "engine"}
    assert "FAIL" not in {line["status"] for line in found}
    assert done.stderr == ""


def test_doctor_prints_a_failure_with_its_action_and_exits_with_1(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = scanrill(data, "doctor", ENGINE="dummy", MIN_FREE_BYTES=str(1 << 60))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    [failed] = [number for number, line in enumerate(lines) if line.startswith("FAIL ")]
    assert "MiB free" in lines[failed]
    assert "SCANRILL_MIN_FREE_BYTES" in lines[failed + 1]
    assert any(line.startswith("ok   engine: ") for line in lines)
    assert done.stderr == ""
    assert not (data / "scanrill.sqlite3").exists()


def test_doctor_reports_contradicting_settings_and_runs_all_checks(tmp_path: Path) -> None:
    done = scanrill(tmp_path / "data", "doctor", "--json", ENGINE="dummy", ALLOWED_ORIGINS="example.org")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    [failed] = [line for line in found if line["status"] == "FAIL"]
    assert failed["check"] == "settings"
    assert "SCANRILL_ALLOWED_ORIGINS" in failed["message"]
    assert found[-1]["check"] == "engine", "the other checks run as well"
