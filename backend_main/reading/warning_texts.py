"""Texts of the warnings about scripts and languages that an engine does not read."""

from collections.abc import Sequence

from .languages import language_names


def lines_read_in_script(number: int, count: int, script: str, engine: str, codes: Sequence[str]) -> str:
    """Return the warning about lines that another engine read."""
    lines = _lines(count)
    return (
        f"{lines} on page {number} {_are(count)} in {script} script; “{engine}” read "
        f"{'it' if count == 1 else 'them'}, as {language_names(codes)}."
    )


def lines_not_read(number: int, count: int, script: str | None, engine: str, hint: str) -> str:
    """Return the warning about lines without text. `script` is None if it is unknown."""
    if script is None:
        return (
            f"{_lines(count)} on page {number} could not be read: the print is bad, or in a script that no "
            f"installed engine reads.{hint}"
        )
    return (
        f"{_lines(count)} on page {number} {_are(count)} in {script} script, which neither the engine "
        f"“{engine}” nor another installed one reads.{hint}"
    )


def language_not_read(number: int, count: int, language: str, engine: str, hint: str) -> str:
    """Return the warning about lines in a language of which the engine lacks letters."""
    return (
        f"{_lines(count)} on page {number} {_are(count)} in {language}, of which the engine “{engine}” lacks "
        f"letters: they are missing in the text.{hint}"
    )


def language_read(number: int, count: int, language: str, engine: str, other: str) -> str:
    """Return the warning about lines that another engine read, since the first one lacks letters."""
    return (
        f"{_lines(count)} on page {number} {_are(count)} in {language}, of which the engine “{engine}” lacks "
        f"letters; “{other}” read {'it' if count == 1 else 'them'}."
    )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
