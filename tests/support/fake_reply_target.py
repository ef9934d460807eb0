"""The connection of a request, as the functions see it that commit changes."""

from __future__ import annotations

from backend_main.core.protocol import messages


class FakeReplyTarget:
    """Records the reply that it is to send, and whether it was cancelled."""

    id = "asking"

    def __init__(self) -> None:
        self.expected: tuple[int, messages.Message] | None = None
        self.forgot = False

    def reply_at_event(self, seq: int, reply: messages.Message) -> None:
        self.expected = seq, reply

    def cancel_reply(self) -> None:
        self.expected, self.forgot = None, True
