"""Codes of sign-in links: lifetime, single use and revocation."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import F

from backend_main.core.auth import sign_in_codes
from backend_main.core.errors import Unauthenticated
from backend_main.core.models import SignInCode, User
from tests.support.database import new_user

pytestmark = pytest.mark.django_db


def rejection(code: str) -> str:
    with pytest.raises(Unauthenticated) as raised:
        sign_in_codes.redeem_code(code)
    return str(raised.value)


def make_older(seconds: float) -> None:
    SignInCode.objects.update(expires_at=F("expires_at") - dt.timedelta(seconds=seconds))


def test_redeem_code_works_once() -> None:
    user = new_user()
    code = sign_in_codes.issue_code(user)
    assert sign_in_codes.redeem_code(code) == user
    assert rejection(code)
    assert not SignInCode.objects.exists()


def test_issue_code_stores_no_plain_code() -> None:
    code = sign_in_codes.issue_code(new_user())
    [row] = SignInCode.objects.values()
    assert code not in str(row)
    assert len(code) * 6 >= 128, "bits, at six a character"


def test_issue_code_returns_different_valid_codes() -> None:
    user = new_user()
    issued = [sign_in_codes.issue_code(user) for _ in range(3)]
    assert len(set(issued)) == 3
    assert [sign_in_codes.redeem_code(code) for code in reversed(issued)] == [user] * 3


def test_redeem_code_expires_after_ten_minutes() -> None:
    young, old = sign_in_codes.issue_code(new_user()), sign_in_codes.issue_code(new_user())
    make_older(9.8 * 60)
    sign_in_codes.redeem_code(young)
    make_older(0.3 * 60)
    assert rejection(old)


def test_redeem_code_wrong_codes_get_one_message() -> None:
    used = sign_in_codes.issue_code(new_user())
    sign_in_codes.redeem_code(used)
    old = sign_in_codes.issue_code(new_user())
    make_older(600)
    inactive_user, revoked_user = new_user(), new_user()
    inactive, revoked = sign_in_codes.issue_code(inactive_user), sign_in_codes.issue_code(revoked_user)
    User.objects.filter(pk=inactive_user.pk).update(is_active=False)
    revoked_user.revoke_tokens()
    revoked_user.save()
    wrong = [used, old, inactive, revoked, "unknown", "", "\ud800", "a" * 100_000, "\x00"]
    assert {rejection(code) for code in wrong} == {sign_in_codes.INVALID_CODE_MESSAGE}


def test_redeem_code_issued_after_a_revocation_works() -> None:
    user = new_user()
    user.revoke_tokens()
    user.save()
    assert sign_in_codes.redeem_code(sign_in_codes.issue_code(user)) == user


def test_remove_expired_keeps_valid_codes() -> None:
    sign_in_codes.issue_code(new_user())
    make_older(600)
    user = new_user()
    code = sign_in_codes.issue_code(user)
    assert sign_in_codes.remove_expired() == 1
    assert sign_in_codes.remove_expired() == 0
    assert sign_in_codes.redeem_code(code) == user


@pytest.mark.django_db(transaction=True)
def test_redeem_code_concurrent_requests_one_succeeds() -> None:
    requests = 8
    for _ in range(5):
        code = sign_in_codes.issue_code(new_user())
        barrier = threading.Barrier(requests)

        def redeem(code: str = code, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            try:
                return bool(sign_in_codes.redeem_code(code))
            except Unauthenticated:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(requests) as pool:
            assert sum(pool.map(lambda _: redeem(), range(requests))) == 1
