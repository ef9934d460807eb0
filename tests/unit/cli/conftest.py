"""Fixtures of the unit tests of the commands: they set up Django before the imports of the tests."""

from tests.support.database import django_db_modify_db_settings, django_db_setup

__all__ = ["django_db_modify_db_settings", "django_db_setup"]
