"""A socket that asks for a change, as the functions that change things know it."""

from __future__ import annotations

from backend_main.core import protocol


class Asking:
    """Notes what it is to expect."""

    id = "asking"

    def __init__(self) -> None:
        self.expected: tuple[int, protocol.Message] | None = None
        self.forgot = False

    def expect(self, seq: int, reply: protocol.Message) -> None:
        self.expected = seq, reply

    def forget(self) -> None:
        self.expected, self.forgot = None, True
