"""System checks: settings that cannot work together, found at start and not at the first request."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, register

from . import auth
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
        auth.parse_origin(text)
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
