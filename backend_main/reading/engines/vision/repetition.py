"""Step 10 - a model that repeats itself: all of them do sometimes, and go on until they are cut off."""

MIN_CHARACTERS, MIN_REPETITIONS = 600, 8
"""A form of empty rows, or a table's rule, repeats itself too; but not so often, or not so long."""
MAX_PERIOD = 1_000
CHECK_INTERVAL_CHARACTERS = 64
_END = 24


class RepetitionDetector:
    """Fed with the text so far; looks at its end now and then."""

    def __init__(self) -> None:
        self._checked_characters = 0

    def truncate_at(self, text: str) -> int | None:
        """Where the text should end, so that what repeats stands once; None while nothing repeats."""
        if len(text) - self._checked_characters < CHECK_INTERVAL_CHARACTERS:
            return None
        self._checked_characters = len(text)
        unit = _period(text)
        if not unit or not _repeats(text, unit):
            return None
        return _beginning(text, unit) + unit


def _period(text: str) -> int:
    """The distance from the end to where it stood before; 0: nowhere near."""
    end = text[-_END:]
    from_ = max(0, len(text) - MAX_PERIOD - _END)
    found = text.rfind(end, from_, len(text) - 1)
    return len(text) - _END - found if found >= 0 else 0


def _repeats(text: str, unit: int) -> bool:
    long = max(MIN_CHARACTERS, MIN_REPETITIONS * unit)
    return len(text) >= long + unit and text[-long:] == text[-long - unit : -unit]


def _beginning(text: str, unit: int) -> int:
    """Where the repetition begins."""
    at = len(text) - unit - 1
    while at >= 0 and text[at] == text[at + unit]:
        at -= 1
    return at + 1
