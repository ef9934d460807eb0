"""Warnings about scripts, languages and letters that are not read."""

from collections.abc import Sequence

from .engines import DetectedScript
from .languages import language_names
from .types import Box, PageWarning
from .warning_codes import WarningCode


def lines_read_in_script(
    number: int, boxes: Sequence[Box], script: str, engine: str, codes: Sequence[str], unit: str = "line"
) -> PageWarning:
    """Return the warning about lines, or words, that another engine read."""
    return PageWarning(
        WarningCode.SCRIPT_REREAD,
        f"{_count(boxes, unit)} on page {number} {_are(boxes)} in {script} script; “{engine}” read "
        f"{_them(boxes)}, as {language_names(codes)}.",
        tuple(boxes),
    )


def lines_not_read(
    number: int,
    boxes: Sequence[Box],
    script: DetectedScript | None,
    engine: str,
    hint: str,
    unit: str = "line",
) -> PageWarning:
    """Return the warning about lines, or words, without text. `script` is None if it is unknown."""
    if script is None:
        return PageWarning(
            WarningCode.UNREAD_INK,
            f"{_count(boxes, unit)} on page {number} could not be read: the print is bad, or in a script "
            f"that no installed engine reads.{hint}",
            tuple(boxes),
        )
    return PageWarning(
        WarningCode.SCRIPT_NOT_READ,
        f"{_lines(boxes)} on page {number} {_are(boxes) if script.is_sure else 'may be'} in {script.name} "
        f"script, which neither the engine “{engine}” nor another installed one reads.{hint}",
        tuple(boxes),
    )


def language_not_read(
    number: int, boxes: Sequence[Box], language: str, engine: str, hint: str
) -> PageWarning:
    """Return the warning about lines in a language of which the engine lacks letters."""
    return PageWarning(
        WarningCode.LANGUAGE_NOT_READ,
        f"{_lines(boxes)} on page {number} {_are(boxes)} in {language}, of which the engine “{engine}” lacks "
        f"letters: they are missing in the text.{hint}",
        tuple(boxes),
    )


def language_read(number: int, boxes: Sequence[Box], language: str, engine: str, other: str) -> PageWarning:
    """Return the warning about lines that another engine read, since the first one lacks letters."""
    return PageWarning(
        WarningCode.LANGUAGE_REREAD,
        f"{_lines(boxes)} on page {number} {_are(boxes)} in {language}, of which the engine “{engine}” lacks "
        f"letters; “{other}” read {_them(boxes)}.",
        tuple(boxes),
    )


def letters_not_named(number: int, boxes: Sequence[Box]) -> PageWarning:
    """Return the warning about lines of a text layer with letters that nothing could restore."""
    return PageWarning(
        WarningCode.LOST_LETTERS,
        f"Letters are missing in {len(boxes)} lines of page {number}: their font does not name them.",
        tuple(boxes),
    )


def text_not_checked(number: int) -> PageWarning:
    """Return the warning about a text layer of which nothing shows whether it is what is printed."""
    return PageWarning(
        WarningCode.UNCHECKED_TEXT,
        f"The letters of page {number} form hardly any words, and no engine could compare them with the "
        "page. The text may differ from the print.",
    )


def text_layer_not_read(number: int) -> PageWarning:
    """Return the warning about an unusable text layer with far more letters than were recognized."""
    return PageWarning(
        WarningCode.LOST_LETTERS,
        f"The letters of page {number} in the file are not usable, and far fewer were recognized in its "
        "picture. Text is missing.",
    )


def _lines(boxes: Sequence[Box]) -> str:
    return _count(boxes, "line")


def _count(boxes: Sequence[Box], unit: str) -> str:
    return f"1 {unit}" if len(boxes) == 1 else f"{len(boxes)} {unit}s"


def _are(boxes: Sequence[Box]) -> str:
    return "is" if len(boxes) == 1 else "are"


def _them(boxes: Sequence[Box]) -> str:
    return "it" if len(boxes) == 1 else "them"
