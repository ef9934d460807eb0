"""Detection of a model that repeats itself. Every model does at times, and continues until it is stopped."""

MIN_CHARACTERS = 600
"""Minimum length of the repeated text. A form with empty rows or the rule of a table repeats less."""
MIN_REPETITIONS = 8
MAX_PERIOD = 1_000
CHECK_INTERVAL_CHARACTERS = 64
_PROBE_CHARACTERS = 24


class RepetitionDetector:
    """Detector of a repetition at the end of a growing text."""

    def __init__(self) -> None:
        self._checked_characters = 0

    def truncate_at(self, text: str) -> int | None:
        """Return the length to cut the text to, so that the repeated part stays once; None without one.

        Args:
            text: whole text so far. Most calls return at once; a check happens every 64 characters.
        """
        if len(text) - self._checked_characters < CHECK_INTERVAL_CHARACTERS:
            return None
        self._checked_characters = len(text)

        # The period is the distance between the end of the text and the previous place with the same end.
        probe = text[-_PROBE_CHARACTERS:]
        search_start = max(0, len(text) - MAX_PERIOD - _PROBE_CHARACTERS)
        found = text.rfind(probe, search_start, len(text) - 1)
        if found < 0:
            return None
        period = len(text) - _PROBE_CHARACTERS - found
        repeated = max(MIN_CHARACTERS, MIN_REPETITIONS * period)
        if len(text) < repeated + period or text[-repeated:] != text[-repeated - period : -period]:
            return None

        # The repetition may begin before the part that was compared.
        start = len(text) - period
        while start > 0 and text[start - 1] == text[start - 1 + period]:
            start -= 1
        return start + period
