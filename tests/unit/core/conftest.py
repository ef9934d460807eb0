"""What the unit tests of the server share."""

from tests.support.database import (
    data_directories,
    django_db_modify_db_settings,
    django_db_setup,
    upload_changes,
)
from tests.support.hub_harness import clock, encoded, hub

__all__ = [
    "clock",
    "data_directories",
    "django_db_modify_db_settings",
    "django_db_setup",
    "encoded",
    "hub",
    "upload_changes",
]
