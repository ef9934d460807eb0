"""What the unit tests of the server share."""

from tests.support.database import data_directories, django_db_modify_db_settings, happened
from tests.support.hub_harness import clock, encoded, hub

__all__ = ["clock", "data_directories", "django_db_modify_db_settings", "encoded", "happened", "hub"]
