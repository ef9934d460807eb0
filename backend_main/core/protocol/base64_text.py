"""Base64 of an image inside its frame."""

from __future__ import annotations


class Base64Text:
    """Slice of a frame with the base64 of an image. It avoids copies of hundreds of megabytes."""

    __slots__ = ("_end", "_frame", "_start")

    def __init__(self, frame: str, start: int = 0, end: int | None = None) -> None:
        self._frame = frame
        self._start = start
        self._end = len(frame) if end is None else end

    def __len__(self) -> int:
        return self._end - self._start

    def __str__(self) -> str:
        return self._frame[self._start : self._end]

    def __repr__(self) -> str:
        return f"Base64Text({len(self)} characters)"

    def slice(self, position: int, size: int) -> str:
        """Return at most `size` characters from `position`."""
        start = self._start + position
        return self._frame[start : min(start + size, self._end)]
