"""System checks: settings that cannot work together, found at start and not at the first request."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, register

from .auth import origin
from .conf import conf


@register("scanrill")
def token_keys(**_kwargs: Any) -> list[CheckMessage]:
    """Another service's tokens need its public key."""
    if conf.jwt_algorithm.startswith("HS") or conf.jwt_verifying_key or conf.jwt_jwks_url:
        return []
    hint = "Set SCANRILL_JWT_VERIFYING_KEY or SCANRILL_JWT_JWKS_URL."
    return [Error(f"No public key for tokens of {conf.jwt_algorithm}.", hint=hint, id="core.E001")]


@register("scanrill")
def redis_client(**_kwargs: Any) -> list[CheckMessage]:
    if not conf.redis_url or find_spec("redis"):
        return []
    hint = "Install it with: pip install 'scanrill[redis]'."
    return [Error("SCANRILL_REDIS_URL needs the extra `redis`.", hint=hint, id="core.E004")]


@register("scanrill")
def celery(**_kwargs: Any) -> list[CheckMessage]:
    """Workers are called, and do their reading, by Celery."""
    if not conf.broker or find_spec("celery"):
        return []
    hint = "Install it with: pip install 'scanrill[celery]'."
    return [Error(f"{_broker_variable()} needs the extra `celery`.", hint=hint, id="core.E005")]


@register("scanrill")
def redis_for_workers(**_kwargs: Any) -> list[CheckMessage]:
    """What a worker reads comes to the servers over Redis, whoever calls it to read."""
    if not conf.broker_url or conf.redis_url:
        return []
    hint = "Set SCANRILL_REDIS_URL; with it alone, Redis is the broker too."
    return [Error("SCANRILL_BROKER_URL needs a Redis for live text.", hint=hint, id="core.E006")]


def _broker_variable() -> str:
    return "SCANRILL_BROKER_URL" if conf.broker_url else "SCANRILL_REDIS_URL"


@register("scanrill")
def allowed_origins(**_kwargs: Any) -> list[CheckMessage]:
    """One that is none would refuse every page, and blame the page for it."""
    hint = "Write scheme://host or scheme://host:port, without a slash at the end."
    return [
        Error(f"SCANRILL_ALLOWED_ORIGINS: {origin} is no origin.", hint=hint, id="core.E003")
        for origin in conf.allowed_origins
        if not _is_origin(origin)
    ]


def _is_origin(text: str) -> bool:
    try:
        origin.parse_origin(text)
    except ValueError:
        return False
    return True


@register("scanrill")
def import_roots(**_kwargs: Any) -> list[CheckMessage]:
    """A root inside the data directory would let one user import another's scans."""
    private = [directory.resolve() for directory in conf.private_dirs]
    inside = [root for root in conf.import_roots if any(map(root.resolve().is_relative_to, private))]
    hint = "Choose a directory outside SCANRILL_DATA_DIR and SCANRILL_STORAGE_URL."
    return [
        Error(f"The import root {root} is among the stored files.", hint=hint, id="core.E002")
        for root in inside
    ]
