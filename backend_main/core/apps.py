"""The Django app `core`."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "backend_main.core"
    label = "core"

    def ready(self) -> None:
        pass  # registers the system checks
