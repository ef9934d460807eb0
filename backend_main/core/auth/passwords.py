"""Sign-in by password: limits before the password is checked, and threads that check it.

A check takes a third of a second of a core, for anybody who asks. So the number of checks is limited.
Two threads run one check at a time each: one for browsers that have signed in with the name before, and one
for all others. Guesses cannot occupy the first, and they cannot lock a name for its user:
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from django.contrib.auth import hashers

from ..conf import Conf
from ..db import executor
from ..db.retry import retry_transient
from ..errors import SignInLimited
from ..models import User
from .attempts import Limit, LocalCounters, SharedCounters, whole_seconds

MAX_NAME_CHARACTERS = 150  # that of the column
MAX_WAITING_CHECKS = 16
"""Checks that wait for one thread: a few seconds of its work."""
BUSY_RETRY_SECONDS = 5
UNUSABLE_PASSWORD = "!"  # noqa: S105 - not a password; Django then spends the time of a check all the same


class Client(NamedTuple):
    """Sender of an attempt.

    address: its network address.
    device: id of a browser that has signed in with the name before.
    """

    address: str
    device: str | None = None


class HashingThread:
    """A thread that checks one password at a time, with a bounded queue. Used on the event loop."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting = 0

    async def check(self, password: str, encoded: str) -> tuple[bool, str | None]:
        """Return whether the password is correct, and its new hash if the stored one is outdated.

        Raises:
            SignInLimited: too many checks wait.
        """
        if self._waiting >= MAX_WAITING_CHECKS:
            raise SignInLimited(BUSY_RETRY_SECONDS)
        self._waiting += 1
        try:
            call = partial(_check, password, encoded)
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        finally:
            self._waiting -= 1


class PasswordSignIn:
    """Sign-in by password, of one server process.

    Args:
        conf: the settings; of them the limits, and the Redis that counts for all processes.
    """

    def __init__(self, conf: Conf) -> None:
        self._conf = conf
        self._counters = (
            SharedCounters(conf.redis_url, conf.redis_prefix) if conf.redis_url else LocalCounters()
        )
        self._known_devices = HashingThread("password-known-device")
        self._others = HashingThread("password")

    async def admit(self, name: str, client: Client) -> None:
        """Count an attempt. Raises `SignInLimited` if there were too many."""
        wait_seconds = await self._counters.admit(self._limits(name, client))
        if wait_seconds:
            raise SignInLimited(whole_seconds(wait_seconds))

    async def check(self, name: str, password: str, client: Client) -> User | None:
        """Return the active user with this name and password; None if there is none.

        Raises:
            SignInLimited: too many checks wait.
        """
        user = await executor.run_in_db_thread(_find_active, name)
        thread = self._known_devices if client.device else self._others
        is_correct, new_hash = await thread.check(password, user.password if user else UNUSABLE_PASSWORD)
        if user is None or not is_correct:
            return None
        if new_hash is not None:
            await executor.run_in_db_thread(_store_hash, user, new_hash)
        if not client.device:
            await self._on_success(name, client.address)
        return user

    async def close(self) -> None:
        """Close the connections of the counters."""
        await self._counters.close()

    def _limits(self, name: str, client: Client) -> list[Limit]:
        conf = self._conf
        if client.device:
            return [
                Limit.of(conf.password_tries_per_minute, "device", client.device),
                Limit.of(conf.password_tries_per_name, "devices of a name", name),
            ]
        return [
            self._limit_at_address(name, client.address),
            self._limit_of_address(client.address),
            Limit.of(conf.password_tries_per_name, "name", name),
            Limit.of(conf.password_tries_in_all, "all"),
        ]

    async def _on_success(self, name: str, address: str) -> None:
        """Reset what a user's own mistakes have counted.

        The limits of the name and of all stay: they bound the work that one valid account can cause.
        """
        await self._counters.remove([self._limit_at_address(name, address).key])
        await self._counters.give_back(self._limit_of_address(address).key)

    def _limit_at_address(self, name: str, address: str) -> Limit:
        return Limit.of(self._conf.password_tries_per_minute, "name and address", name, address)

    def _limit_of_address(self, address: str) -> Limit:
        return Limit.of(self._conf.password_tries_per_address, "address", address)


def _check(password: str, encoded: str) -> tuple[bool, str | None]:
    is_correct, is_outdated = hashers.verify_password(password, encoded)
    return is_correct, hashers.make_password(password) if is_correct and is_outdated else None


@retry_transient
def _find_active(name: str) -> User | None:
    return User.objects.filter(username=name, is_active=True).first()


@retry_transient
def _store_hash(user: User, new_hash: str) -> None:
    """Store a hash of the present password with today's parameters, unless the password changed meanwhile."""
    User.objects.filter(pk=user.pk, password=user.password).update(password=new_hash)
