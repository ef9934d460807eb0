"""What the unit tests of the commands share: Django is set up before what they import."""

from tests.support.database import django_db_modify_db_settings

__all__ = ["django_db_modify_db_settings"]
