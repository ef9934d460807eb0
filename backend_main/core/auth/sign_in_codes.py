"""Codes of sign-in links: single-use, valid for ten minutes, stored as a hash only."""

from __future__ import annotations

import datetime as dt
import secrets

from django.utils import timezone

from ..db.retry import retry_transient
from ..errors import Unauthenticated
from ..models import SignInCode, User
from . import accounts
from .digests import sha256_hex

LIFETIME = dt.timedelta(minutes=10)
CODE_BYTES = 24  # 192 bits: too many to guess
INVALID_CODE_MESSAGE = "This link was used or has expired. Print a new one with `scanrill link`."


@retry_transient
def issue_code(user: User) -> str:
    """Store the hash of a new code that signs this user in, and return the code."""
    code = secrets.token_urlsafe(CODE_BYTES)
    SignInCode.objects.create(user=user, digest=sha256_hex(code), expires_at=timezone.now() + LIFETIME)
    return code


@retry_transient
def redeem_code(code: str) -> User:
    """Delete a code and return its user.

    Raises:
        Unauthenticated: the code is unknown, used or expired; or its user is inactive, or has revoked all
            tokens since. All cases have one message, which reveals nothing.
    """
    found = SignInCode.objects.filter(digest=sha256_hex(code), expires_at__gt=timezone.now()).first()
    # Two requests may find the row; one of them deletes it.
    if found is None or not SignInCode.objects.filter(pk=found.pk).delete()[0]:
        raise Unauthenticated(INVALID_CODE_MESSAGE)
    issued_at = (found.expires_at - LIFETIME).timestamp()
    if not accounts.is_credential_valid(accounts.load_account(found.user_id), issued_at):
        raise Unauthenticated(INVALID_CODE_MESSAGE)
    return User.objects.get(pk=found.user_id)


@retry_transient
def remove_expired() -> int:
    """Delete expired codes and return their number."""
    return SignInCode.objects.filter(expires_at__lte=timezone.now()).delete()[0]
