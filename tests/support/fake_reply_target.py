"""The connection of a request, as the functions see it that commit changes."""

from __future__ import annotations

from backend_main.core.protocol import messages


class FakeReplyTarget:
    """Records the reply that it is to send, and whether it was cancelled."""

    id = "reply-target"

    def __init__(self) -> None:
        self.scheduled_reply: tuple[int, messages.Message] | None = None
        self.was_cancelled = False

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        self.scheduled_reply = seq, reply

    def cancel_reply(self) -> None:
        self.scheduled_reply, self.was_cancelled = None, True
