"""Django system checks of the settings: they find combinations that cannot work when the server starts."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, register

from ..sandbox.measures import MEASURES
from .auth import origin
from .conf import conf
from .extras import install_command
from .secret_keys import secret_key, weakness_of_secret

KEY_HINT = "Set it to a random text of 32 bytes or more, such as the output of: openssl rand -base64 48"


@register("scanrill")
def check_token_keys(**_kwargs: Any) -> list[CheckMessage]:
    """Tokens of another service need its public key."""
    if conf.jwt_algorithm.startswith("HS") or conf.jwt_verifying_key or conf.jwt_jwks_url:
        return []
    hint = "Set SCANRILL_JWT_VERIFYING_KEY or SCANRILL_JWT_JWKS_URL."
    return [Error(f"No public key for tokens of {conf.jwt_algorithm}.", hint=hint, id="core.E001")]


@register("scanrill")
def check_secrets(**_kwargs: Any) -> list[CheckMessage]:
    """Anybody who guesses the key of an HMAC signature can sign tokens of any user."""
    keys = {"SCANRILL_SECRET_KEY": secret_key(conf)}
    if conf.jwt_signing_key and conf.jwt_algorithm.startswith("HS"):
        keys["SCANRILL_JWT_SIGNING_KEY"] = conf.jwt_signing_key
    return [
        Error(f"{variable} {weakness}.", hint=KEY_HINT, id="core.E007")
        for variable, key in keys.items()
        if (weakness := weakness_of_secret(key))
    ]


@register("scanrill")
def check_redis_package(**_kwargs: Any) -> list[CheckMessage]:
    """Redis needs its Python client."""
    if not conf.redis_url or find_spec("redis"):
        return []
    hint = f"Run: {install_command('redis')}"
    return [Error("SCANRILL_REDIS_URL needs the extra `redis`.", hint=hint, id="core.E004")]


@register("scanrill")
def check_celery_package(**_kwargs: Any) -> list[CheckMessage]:
    """Workers run on Celery."""
    if not conf.broker or find_spec("celery"):
        return []
    variable = "SCANRILL_BROKER_URL" if conf.broker_url else "SCANRILL_REDIS_URL"
    hint = f"Run: {install_command('celery')}"
    return [Error(f"{variable} needs the extra `celery`.", hint=hint, id="core.E005")]


@register("scanrill")
def check_redis_for_workers(**_kwargs: Any) -> list[CheckMessage]:
    """Workers send live text to the servers over Redis, whichever broker wakes them."""
    if not conf.broker_url or conf.redis_url:
        return []
    hint = "Set SCANRILL_REDIS_URL. Redis alone can also be the broker."
    return [Error("SCANRILL_BROKER_URL needs Redis for live text.", hint=hint, id="core.E006")]


@register("scanrill")
def check_required_sandbox(**_kwargs: Any) -> list[CheckMessage]:
    """A misspelt measure would not be required."""
    hint = f"The measures are {', '.join(MEASURES)}."
    return [
        Error(f"SCANRILL_REQUIRED_SANDBOX: {name} is not a measure.", hint=hint, id="core.E011")
        for name in conf.required_sandbox
        if name not in MEASURES
    ]


@register("scanrill")
def check_allowed_origins(**_kwargs: Any) -> list[CheckMessage]:
    """An invalid origin would reject every page, with an error that blames the page."""
    hint = "Write scheme://host or scheme://host:port, without a slash at the end."
    errors: list[CheckMessage] = []
    for text in conf.allowed_origins:
        try:
            origin.parse_origin(text)
        except ValueError:
            message = f"SCANRILL_ALLOWED_ORIGINS: {text} is not a valid origin."
            errors.append(Error(message, hint=hint, id="core.E003"))
    return errors


@register("scanrill")
def check_import_roots(**_kwargs: Any) -> list[CheckMessage]:
    """An import root inside the data directory would let one user import another user's scans."""
    private = [directory.resolve() for directory in conf.private_dirs]
    inside = [root for root in conf.import_roots if any(map(root.resolve().is_relative_to, private))]
    hint = "Choose a directory outside SCANRILL_DATA_DIR and SCANRILL_STORAGE_URL."
    return [
        Error(f"The import root {root} is inside the stored files.", hint=hint, id="core.E002")
        for root in inside
    ]
