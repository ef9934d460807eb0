"""Pub/sub within this process.

It delivers each message by itself. Readers publish text at most ten times a second, a `UserEventStream` needs
only the latest `seq`, and the throttle and the send queue merge what a connection does not take in time.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from uuid import UUID

from .messages import (
    AnyPubSubMessage,
    AnyUserMessage,
    PossibleGap,
    SharedMessageHandler,
    UserMessageHandler,
)

log = logging.getLogger(__name__)


class LocalPubSub:
    """Pub/sub within this process, and the base of `RedisPubSub`.

    `publish` may be called from any thread, every other method on the loop.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_user_message: UserMessageHandler | None = None

    @property
    def degraded_reason(self) -> str | None:
        """Why other processes may receive messages late; None if they do not."""
        return None

    def start(self, on_user_message: UserMessageHandler | None) -> None:
        """Start delivery.

        Args:
            on_user_message: gets every user message of this process, and those of other processes about
                users that this process subscribes to. None where nobody needs them.
        """
        self._on_user_message, self._loop = on_user_message, asyncio.get_running_loop()

    async def stop(self) -> None:
        self._on_user_message = self._loop = None

    def subscribe(self, owner_id: UUID) -> None:
        """Receive messages of other processes about a user."""

    def unsubscribe(self, owner_id: UUID) -> None:
        """Stop receiving messages of other processes about a user."""

    def listen(self, channel: str, on_message: SharedMessageHandler) -> None:
        """Receive messages of other processes on a shared channel."""

    def publish(self, message: AnyPubSubMessage) -> None:
        if self._on_user_message is None or not isinstance(message, AnyUserMessage):
            return
        if (loop := self._loop) is not None:
            with suppress(RuntimeError):  # the loop has been closed since
                loop.call_soon_threadsafe(partial(self._dispatch, message, is_local=True))

    def _dispatch(self, message: AnyUserMessage | PossibleGap, *, is_local: bool) -> None:
        """Call the handler. Its defects must not reach the publisher, nor end the delivery."""
        if self._on_user_message is None:
            return
        try:
            self._on_user_message(message, is_local=is_local)
        except Exception:
            log.exception("A pub/sub message could not be handled.")
