"""What the unit tests of the server share."""

from tests.support.database import data_directories, django_db_modify_db_settings, happened

__all__ = ["data_directories", "django_db_modify_db_settings", "happened"]
