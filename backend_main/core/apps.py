"""Django app `core`."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "backend_main.core"
    label = "core"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - the import registers them
