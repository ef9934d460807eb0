"""Users of the shared server, created once: each creation starts a process."""

from __future__ import annotations

import pytest

from tests.support.database import (
    data_directories,
    django_db_modify_db_settings,
    django_db_setup,
    upload_changes,
)
from tests.support.server import Server

__all__ = ["data_directories", "django_db_modify_db_settings", "django_db_setup", "upload_changes"]


@pytest.fixture(scope="session")
def a_user(server: Server) -> str:
    """The name of a user."""
    return server.user()


@pytest.fixture(scope="session")
def a_token(server: Server, a_user: str) -> str:
    return server.token(a_user)


@pytest.fixture(scope="session")
def other_token(server: Server) -> str:
    """An access token of another user."""
    return server.token(server.user())
