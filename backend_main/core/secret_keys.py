"""The secret key that signs tokens: where it comes from, and whether it can be guessed."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from tempfile import NamedTemporaryFile

from .conf import PREFIX, Conf
from .errors import CommandError

MIN_SECRET_BYTES = 32
# Random keys of 32 hexadecimal digits have fewer distinct ones with a probability of 4e-8.
MIN_SECRET_CHARACTERS = 8
# Words of examples. Each has six letters or more, so that a random key contains none by chance.
_PLACEHOLDER = re.compile(r"(?i)change|replace|example|placeholder|insecure|password|long random|secret key")


def secret_key(settings: Conf) -> str:
    """Return the configured key, or the key in the data directory; create it on first use, mode 0600.

    Raises:
        CommandError: servers share a database or Redis, and no key is configured: each would create its own.
    """
    if settings.secret_key:
        return settings.secret_key
    if not settings.embedded:
        raise CommandError(
            f"{PREFIX}DATABASE_URL and {PREFIX}REDIS_URL need {PREFIX}SECRET_KEY. "
            "Set it to the same random text for all servers."
        )
    path = settings.data_dir / "secret.key"
    if not path.exists():
        # A hard link creates a complete file: two processes that start at once read one and the same key.
        with NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as draft:  # mode 0600
            draft.write(secrets.token_urlsafe(50))
            draft.flush()
            with suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text()


def weakness_of_secret(secret: str) -> str | None:
    """Return why a key for HMAC signatures can be guessed; None if it looks random.

    32 bytes: RFC 7518, 3.2, requires a key of the size of the hash for HS256.
    """
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"is shorter than {MIN_SECRET_BYTES} bytes"
    if len(set(secret)) < MIN_SECRET_CHARACTERS or _PLACEHOLDER.search(secret):
        return "is a placeholder"
    return None
