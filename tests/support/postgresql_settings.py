"""The server's settings, on the PostgreSQL whose socket is in the directory `SCANRILL_TEST_POSTGRESQL`."""

import os

from backend_main.backend.settings import *  # noqa: F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": os.environ["SCANRILL_TEST_POSTGRESQL"],
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
}
