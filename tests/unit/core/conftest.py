"""What the unit tests of the server share."""

from tests.support.database import upload_changes, data_directories, django_db_modify_db_settings
from tests.support.hub_harness import clock, encoded, hub

__all__ = ["upload_changes", "clock", "data_directories", "django_db_modify_db_settings", "encoded", "hub"]
