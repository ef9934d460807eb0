"""Use of the hostile engine: by a server, or by an engine process of the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from backend_main.reading import EngineProcess
from backend_main.reading.engines import registry
from tests.support.server import Server

HOSTILE_ENGINE = Path(__file__).parent / "hostile_engine"


def hostile_server(data_dir: Path, **settings: str) -> Server:
    """Return a server, not started, whose default engine is the hostile one."""
    server = Server(data_dir, ENGINE="hostile", **settings)
    server.environment["PYTHONPATH"] = str(HOSTILE_ENGINE)
    return server


def register_hostile_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process and its children find the hostile engine."""
    monkeypatch.syspath_prepend(HOSTILE_ENGINE)
    monkeypatch.setenv("PYTHONPATH", str(HOSTILE_ENGINE))
    points = registry._entry_points.__wrapped__()
    monkeypatch.setattr(registry, "_entry_points", lambda: points)


@cache
def _missing_measures() -> dict[str, str]:
    with EngineProcess("") as process:
        process.start()
        return {measure.name: measure.reason for measure in process.measures if not measure.is_in_force}


def skip_without_measures(*names: str) -> None:
    """Skip the test, loudly, if this system lacks one of these measures."""
    for name in names:
        if name in _missing_measures():
            pytest.skip(f"LOUD: the sandbox lacks {name} here ({_missing_measures()[name]}): not tested.")
