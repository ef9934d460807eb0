"""What the unit tests of the server share."""

from tests.support.database import changes, data_directories, django_db_modify_db_settings
from tests.support.hub_harness import clock, encoded, hub

__all__ = ["changes", "clock", "data_directories", "django_db_modify_db_settings", "encoded", "hub"]
