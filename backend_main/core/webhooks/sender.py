"""Sender of the deliveries that are due, on the event loop of a server process.

It looks for them each second, because any process may have written them. A webhook has one attempt at a time
in a process, so its deliveries keep their order while attempts succeed. After a failure its turn ends.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from ... import __version__
from .. import outgoing
from ..db import executor
from ..errors import DatabaseUnavailable, ScanrillError
from . import delivery
from .delivery import Claim, Outcome

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_INTERVAL_SECONDS = 1.0
# Each is a thread that waits for a receiver most of the time. A user has a quarter of them.
MAX_SENDING = 16
MAX_SENDING_PER_USER = 4
# Then webhooks of others that are due may have the place.
MAX_TURN_SECONDS = 30.0
MAX_RESPONSE_BYTES = 1024


async def send_loop() -> None:
    """Send deliveries until the task is cancelled; continue after failures of the database."""
    sending: dict[UUID, UUID] = {}
    async with asyncio.TaskGroup() as tasks:
        while True:
            try:
                for webhook_id, owner_id in await _startable(sending):
                    sending[webhook_id] = owner_id
                    task = tasks.create_task(_send_due(webhook_id))
                    task.add_done_callback(functools.partial(_remove, sending, webhook_id))
            except DatabaseUnavailable as error:
                log.warning("Webhooks are postponed: %s", error)
            await asyncio.sleep(POLL_INTERVAL_SECONDS)


def _remove(sending: dict[UUID, UUID], webhook_id: UUID, _task: asyncio.Task[None]) -> None:
    del sending[webhook_id]


async def _startable(sending: dict[UUID, UUID]) -> list[tuple[UUID, UUID]]:
    """Return webhooks that are due and have a free place."""
    places, of_owner = MAX_SENDING - len(sending), Counter(sending.values())
    started: list[tuple[UUID, UUID]] = []
    if not places:
        return started
    for webhook_id, owner_id in await executor.run_in_db_thread(delivery.due_webhooks):
        if webhook_id not in sending and of_owner[owner_id] < MAX_SENDING_PER_USER and len(started) < places:
            of_owner[owner_id] += 1
            started.append((webhook_id, owner_id))
    return started


async def _send_due(webhook_id: UUID) -> None:
    """Send the deliveries of a webhook that are due, until one fails or its turn is over."""
    until = time.monotonic() + MAX_TURN_SECONDS
    try:
        while time.monotonic() < until:
            claim = await executor.run_in_db_thread(delivery.claim_next, webhook_id)
            if claim is None:
                return
            outcome = await _run_in_daemon_thread(functools.partial(attempt, claim))
            await executor.run_in_db_thread(delivery.record, claim, outcome)
            if not outcome.is_success:
                return
    except DatabaseUnavailable as error:
        log.warning("Webhooks are postponed: %s", error)
    except Exception:
        log.exception("The webhook %s failed.", webhook_id)


def attempt(claim: Claim) -> Outcome:
    """Send a delivery once and return the outcome."""
    started_at = time.monotonic()
    body = claim.delivery.body.encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"scanrill/{__version__}"}
    headers |= signature_headers(claim)
    try:
        with outgoing.request(
            "POST",
            claim.webhook.url,
            body=body,
            headers=headers,
            timeout_seconds=delivery.REQUEST_TIMEOUT_SECONDS,
        ) as response:
            status: int | None = response.status
            text = response.read(MAX_RESPONSE_BYTES).decode("utf-8", "replace").replace("\0", "")
    except ScanrillError as error:
        status, text = None, error.fields.get("url", str(error))
    return Outcome(status, round((time.monotonic() - started_at) * 1000), text)


def signature_headers(claim: Claim) -> dict[str, str]:
    """Return the headers of Standard Webhooks, with a signature for each secret that is valid."""
    webhook, now = claim.webhook, timezone.now()
    secrets = [webhook.secret]
    if webhook.previous_secret_expires_at is not None and webhook.previous_secret_expires_at > now:
        secrets.append(webhook.previous_secret)
    message_id, sent_at = str(claim.delivery.pk), now.astimezone(dt.UTC)
    signatures = [Signer(secret).sign(message_id, sent_at, claim.delivery.body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _run_in_daemon_thread(function: Callable[[], T]) -> T:
    """Call a function on a thread that does not delay the end of the process, as those of a pool do."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # None only beside an error

    def run() -> None:
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(finish, result, failure)

    threading.Thread(target=run, name="webhook", daemon=True).start()
    return await future
