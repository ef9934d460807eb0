"""A fake of the connection that requests a change."""

from __future__ import annotations

from backend_main.core.protocol import messages


class FakeReplyTarget:
    """Records the scheduled reply and its cancellation."""

    id = "reply-target"

    def __init__(self) -> None:
        self.scheduled_reply: tuple[int, messages.Message] | None = None
        self.was_cancelled = False

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        self.scheduled_reply = seq, reply

    def cancel_reply(self) -> None:
        self.scheduled_reply, self.was_cancelled = None, True
