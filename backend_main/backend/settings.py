"""Django's settings, derived from `core/conf.py`."""

from datetime import timedelta

from backend_main.core.conf import conf
from backend_main.core.db import settings as db_settings
from backend_main.core.secret_keys import secret_key

SECRET_KEY = secret_key(conf)
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *conf.allowed_hosts]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "backend_main.core",
]
# No SecurityMiddleware: `core/http/security_headers.py` covers responses from outside Django as well.
# Routes have both forms (`core/http/routes.py`): a redirect would lose the body.
APPEND_SLASH = False
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "backend_main.backend.urls"

DATABASES = {"default": db_settings.django_database(conf)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "core.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

USE_TZ = True
TIME_ZONE = "UTC"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["backend_main.core.auth.authentication.RequestAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "backend_main.core.http.rest.handle_exception",
    "UNAUTHENTICATED_USER": None,
}
SIMPLE_JWT = {
    "ALGORITHM": conf.jwt_algorithm,
    "SIGNING_KEY": conf.jwt_signing_key or (SECRET_KEY if conf.jwt_algorithm.startswith("HS") else None),
    "VERIFYING_KEY": conf.jwt_verifying_key,
    "LEEWAY": conf.jwt_leeway_seconds,
    "ISSUER": conf.jwt_issuer or None,
    "AUDIENCE": conf.jwt_audience or None,
    "USER_ID_CLAIM": conf.jwt_user_claim,
    "USER_ID_FIELD": conf.jwt_user_field,
    "TOKEN_TYPE_CLAIM": conf.jwt_type_claim or None,
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=conf.jwt_access_seconds),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=conf.jwt_refresh_seconds),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "backend_main.core.log_filters.RedactingFormatter",
            "format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        }
    },
    "filters": {
        "malformed_requests": {"()": "backend_main.core.log_filters.MalformedRequestFilter"},
        "shutdown_cancellations": {"()": "backend_main.core.log_filters.ShutdownCancellationFilter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["shutdown_cancellations"],
        },
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Without Django's own handlers, which mail and print by their own rules.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # A traceback for each request that Django refuses, such as one with too many parameters: any client
        # could fill the disk.
        "django.security": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "django.server": {"handlers": [], "propagate": True},
        # Two lines per call would add nothing: the database has the jobs.
        "celery.worker.strategy": {"handlers": [], "level": "WARNING", "propagate": True},
        "celery.app.trace": {"handlers": [], "level": "WARNING", "propagate": True},
        # At INFO, botocore logs at each start where it found credentials.
        "botocore": {"handlers": [], "level": "WARNING", "propagate": True},
        "uvicorn": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.error": {"handlers": [], "propagate": True, "filters": ["malformed_requests"]},
        "uvicorn.access": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
