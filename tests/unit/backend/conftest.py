"""Django is set up before the modules of the server are imported."""

from __future__ import annotations

import django

django.setup()  # `tests/conftest.py` sets the settings module and the data directory
