"""Step 2 — the code of a sign-in link: for one use, within ten minutes, kept only as its hash."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.utils import timezone

from ..db.retry import retry_transient
from ..errors import Unauthenticated
from ..models import SignInCode, User
from . import accounts

LIFETIME = dt.timedelta(minutes=10)
CODE_BYTES = 24  # 192 bits: nobody finds one by trying
INVALID_CODE_MESSAGE = "This link was used already, or is too old; `scanrill link` prints another."


@retry_transient
def issue_code(user: User) -> str:
    """A new code that signs this user in."""
    code = secrets.token_urlsafe(CODE_BYTES)
    SignInCode.objects.create(user=user, digest=_digest(code), expires_at=timezone.now() + LIFETIME)
    return code


@retry_transient
def redeem_code(code: str) -> User:
    """The user of a code, which is gone by this.

    Raises `Unauthenticated` with one sentence for all that can be wrong: a code that was used, is too old,
    never was, or whose user was deactivated or logged out everywhere since.
    """
    found = SignInCode.objects.filter(digest=_digest(code), expires_at__gt=timezone.now()).first()
    # Of two who come at once, one deletes the row.
    if found is None or not SignInCode.objects.filter(pk=found.pk).delete()[0]:
        raise Unauthenticated(INVALID_CODE_MESSAGE)
    issued_at = (found.expires_at - LIFETIME).timestamp()
    if not accounts.is_token_valid(accounts.load_account(found.user_id), issued_at):
        raise Unauthenticated(INVALID_CODE_MESSAGE)
    return User.objects.get(pk=found.user_id)


@retry_transient
def remove_expired() -> int:
    """How many there were."""
    return SignInCode.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
