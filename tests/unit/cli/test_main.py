"""How a command ends that cannot go on."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from backend_main.cli import main


def raising(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def app() -> None:
        raise error

    monkeypatch.setattr(main, "app", app)


def test_a_database_that_goes_away_in_the_middle_of_a_command_ends_it_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raising(OperationalError("connection failed.\nIs the server running?"), monkeypatch)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == "scanrill: The database cannot be used: connection failed."


def test_what_is_a_defect_is_seen_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        main.main()
