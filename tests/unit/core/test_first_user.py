"""Servers of one database that start at the same time make one user."""

from __future__ import annotations

import pytest

from backend_main.cli import link
from backend_main.core.models import User


@pytest.mark.django_db(transaction=True)
def test_who_finds_that_another_server_was_quicker_takes_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_login_name", lambda: "ada")
    first = link.create_first_user()
    assert first is not None
    assert link.create_first_user() is None
    # The other one's look was before the first one's commit.
    monkeypatch.setattr(type(User.objects), "exists", lambda _manager: False)
    assert link.create_first_user() == first
    assert User.objects.count() == 1
