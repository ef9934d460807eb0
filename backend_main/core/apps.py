"""The Django app `core`."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "backend_main.core"
    label = "core"

    def ready(self) -> None:
        from . import checks as _checks  # registers the system checks
