"""Test that servers of one database that start at the same time create one user."""

from __future__ import annotations

import pytest

from backend_main.cli import link
from backend_main.core.models import User


@pytest.mark.django_db(transaction=True)
def test_first_user_created_by_another_server_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_login_name", lambda: "ada")
    first = link.first_user()
    assert first is not None
    assert link.first_user() is None
    # The second server queries before the first one commits.
    monkeypatch.setattr(type(User.objects), "exists", lambda _manager: False)
    assert link.first_user() == first
    assert User.objects.count() == 1
