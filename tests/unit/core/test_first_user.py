"""First user of a database on which several servers start at the same time."""

from __future__ import annotations

import pytest

from backend_main.cli import link
from backend_main.core.models import User


@pytest.mark.django_db(transaction=True)
def test_create_first_user_after_another_server_returns_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_login_name", lambda: "ada")
    first = link.create_first_user()
    assert first is not None
    assert link.create_first_user() is None
    # This server checked for users before the other one committed.
    monkeypatch.setattr(type(User.objects), "exists", lambda _manager: False)
    assert link.create_first_user() == first
    assert User.objects.count() == 1
