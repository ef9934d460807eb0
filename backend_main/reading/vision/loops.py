"""Step 10 - a model that repeats itself: all of them do sometimes, and go on until they are cut off."""

LEAST_CHARACTERS, LEAST_TIMES = 600, 8
"""A form of empty rows, or a table's rule, repeats itself too; but not so often, or not so long."""
LONGEST_UNIT = 1_000
LOOKED_AT_EVERY = 64
_END = 24


class LoopWatch:
    """Fed with the text so far; looks at its end now and then."""

    def __init__(self) -> None:
        self._looked_at = 0

    def cut(self, text: str) -> int | None:
        """Where the text should end, so that what repeats stands once; None while nothing repeats."""
        if len(text) - self._looked_at < LOOKED_AT_EVERY:
            return None
        self._looked_at = len(text)
        unit = _unit(text)
        if not unit or not _repeats(text, unit):
            return None
        return _beginning(text, unit) + unit


def _unit(text: str) -> int:
    """The distance from the end to where it stood before; 0: nowhere near."""
    end = text[-_END:]
    from_ = max(0, len(text) - LONGEST_UNIT - _END)
    found = text.rfind(end, from_, len(text) - 1)
    return len(text) - _END - found if found >= 0 else 0


def _repeats(text: str, unit: int) -> bool:
    long = max(LEAST_CHARACTERS, LEAST_TIMES * unit)
    return len(text) >= long + unit and text[-long:] == text[-long - unit : -unit]


def _beginning(text: str, unit: int) -> int:
    """Where the repetition begins."""
    at = len(text) - unit - 1
    while at >= 0 and text[at] == text[at + unit]:
        at -= 1
    return at + 1
