"""Exit of a command after an error."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from backend_main.cli import main


def make_app_raise(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def app() -> None:
        raise error

    monkeypatch.setattr(main, "app", app)


def test_main_with_a_database_error_exits_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_app_raise(OperationalError("connection failed.\nIs the server running?"), monkeypatch)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == "scanrill: Cannot use the database: connection failed."


def test_main_with_an_unexpected_error_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make_app_raise(ZeroDivisionError(), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        main.main()
