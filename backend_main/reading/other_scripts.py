"""Lines of a page in a script that its engine does not read, among lines that it reads.

A model that lacks the letters of a line drops it, or returns few or similar letters. Such lines are put on a
sheet, which each local engine reads for each script that it has (`script_readings.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from . import languages, warning_texts
from .confidence import LOW_CONFIDENCE, MIN_LETTERS_PER_HEIGHT, length_in_heights
from .documents.document import PageImage
from .engines import Engine
from .fallback import FallbackEngines
from .layout.text_joining import CJK
from .line_sheet import MAX_SHEET_LINES
from .output.escaping import escape
from .script_readings import LATIN_LOOK_ALIKES, MIN_SCRIPT_SHARE, Reading, ScriptReader
from .types import Line, Options, PageWarning, Word
from .warning_boxes import boxes_of
from .words import realigned

MIN_HEIGHTS = 2.5
"""Length of a line, in line heights, below which it may be a bullet, a mark or a stain."""
MIN_CLEAR_HEIGHTS = 6.0
"""Length from which a line is text for certain, not a stain, a rule or a scribble."""
MAX_UNREAD_CONFIDENCE = 0.75
"""Confidence below which the text of a long line is not what is printed: Hebrew had 0.61 and 0.71.

None of 941 lines of scans that are as long has less.
"""
MIN_FOREIGN_LETTERS = 4
"""A line with fewer letters in another script may be a formula."""
MAX_SUSPECTS = MAX_SHEET_LINES
"""Lines of a page that are read again, in each script."""
SAMPLE_LINES = 6
"""Longest lines of an unreadable page that show its script."""
LATIN_WITH_LOOK_ALIKES = frozenset("ABCEHIJKMOPSTXYZaceijknoprstuvxymg")


@dataclass
class RereadLines:
    """Lines of a page after the suspect ones were read again, with the warnings about them."""

    lines: list[Line]
    warnings: list[PageWarning] = field(default_factory=list)


def is_suspect(line: Line, own_scripts: frozenset[str]) -> bool:
    """Return whether the engine of a line may lack its script."""
    heights = length_in_heights(line.box)
    if line.box is None or heights < MIN_HEIGHTS:
        return False
    if _has_foreign_letters(line.text, own_scripts):
        return True
    if not line.text or len(line.text) < MIN_LETTERS_PER_HEIGHT * heights:
        return True
    return line.confidence is not None and line.confidence < LOW_CONFIDENCE


def _has_foreign_letters(text: str, own_scripts: frozenset[str]) -> bool:
    """Return whether many letters are in a script that the engine does not claim. Formulas have a few."""
    foreign = sum(
        bool(found := languages.scripts_of_text([letter])) and not found <= own_scripts for letter in text
    )
    return foreign >= MIN_FOREIGN_LETTERS and foreign >= MIN_SCRIPT_SHARE * sum(map(str.isalpha, text))


def reread_other_scripts(
    page: PageImage, lines: Sequence[Line], engine: Engine, options: Options, fallback: FallbackEngines
) -> RereadLines | None:
    """Read suspect lines with engines for other scripts; return None if there are none.

    Args:
        page: the page.
        lines: all its lines in reading order, those without text too.
        engine: the engine that read them.
        options: options of the read.
        fallback: the other engines.
    """
    own = languages.scripts_of(engine.configured_languages())
    if not own:  # an engine without a list of languages may read any
        return None
    suspects = [number for number, line in enumerate(lines) if is_suspect(line, own)][:MAX_SUSPECTS]
    if not suspects:
        return None
    result = list(lines)
    read = ScriptReader(page, lines, engine, options, fallback)
    found = read.best_of(suspects)
    lost: list[int] = []
    if found:
        # A line of look-alikes alone is clear only beside lines that are not.
        scripts = {reading.script for reading in found.values()}
        alike = _look_alike_lines(lines, suspects, scripts)
        found |= read.best_of(alike, scripts=scripts)
        lost = [number for number in alike if number not in found and _is_chinese(lines[number].text)]
    for number, reading in found.items():
        result[number] = replaced(lines[number], reading.text, reading.confidence, reading.words)
    warnings = [
        warning_texts.lines_read_in_script(page.number, boxes_of(lines, numbers), script, name, codes)
        for (script, name, codes), numbers in by_engine(found).items()
    ]
    unread = [number for number in suspects if number not in found and _is_unread(lines[number])]
    unread = sorted({*unread, *lost})
    if lost or any(_is_clearly_unread(lines[number]) for number in unread):
        script = read.detect_script(unread)
        hint = fallback.install_hint(script and script.name)
        boxes = boxes_of(lines, unread)
        warnings.append(warning_texts.lines_not_read(page.number, boxes, script, engine.name, hint))
        if script is not None and script.is_sure:  # what the engine returned are look-alikes
            for number in unread:
                result[number] = msgspec.structs.replace(lines[number], text="", markdown="", words=())
    return RereadLines(result, warnings)


def script_of_page(
    page: PageImage, lines: Sequence[Line], engine: Engine, options: Options, fallback: FallbackEngines
) -> str | None:
    """Return the script of a page that its engine cannot read, if another engine reads some of its lines."""
    numbers = [number for number, line in enumerate(lines) if length_in_heights(line.box) >= MIN_HEIGHTS]
    if not numbers:
        return None
    numbers.sort(key=lambda number: length_in_heights(lines[number].box), reverse=True)
    return ScriptReader(page, lines, engine, options, fallback).script_of(numbers[:SAMPLE_LINES])


def _look_alike_lines(lines: Sequence[Line], suspects: Sequence[int], scripts: set[str]) -> list[int]:
    """Return lines whose letters may all be Cyrillic, Greek or Korean ones, and that have a word of them."""
    known = set(suspects)
    return [
        number
        for number, line in enumerate(lines)
        if line.box is not None
        and (number in known or _looks_alike(line.text, scripts))
        and length_in_heights(line.box) >= MIN_HEIGHTS
    ]


def _looks_alike(text: str, scripts: set[str]) -> bool:
    if "Korean" in scripts and _is_chinese(text):  # as which bad print of Korean is read
        return True
    letters = set(filter(str.isalpha, text))
    return len(letters) > 1 and letters <= LATIN_WITH_LOOK_ALIKES | LATIN_LOOK_ALIKES


def _is_chinese(text: str) -> bool:
    letters = list(filter(str.isalpha, text))
    return len(letters) > 1 and all(map(CJK.match, letters))


def _is_unread(line: Line) -> bool:
    return _has_few_letters(line) or (line.confidence or 0.0) < MAX_UNREAD_CONFIDENCE


def _is_clearly_unread(line: Line) -> bool:
    return length_in_heights(line.box) >= MIN_CLEAR_HEIGHTS and _is_unread(line)


def _has_few_letters(line: Line) -> bool:
    return len(line.text) < MIN_LETTERS_PER_HEIGHT * length_in_heights(line.box)


def replaced(line: Line, text: str, confidence: float | None, words: tuple[Word, ...] = ()) -> Line:
    """Return a line with another text in its place.

    Args:
        line: the line.
        text: its text.
        confidence: confidence of the text.
        words: words of the text; none: they are at the places of those before.
    """
    prefix = line.markdown[: len(line.markdown) - len(line.markdown.lstrip())] if line.markdown else "\n"
    if not words:
        words = realigned(line.words, line.text, text, line.box)
    return msgspec.structs.replace(
        line, text=text, markdown=prefix + escape(text), confidence=confidence, words=words
    )


def by_engine(readings: Mapping[int, Reading]) -> dict[tuple[str, str, tuple[str, ...]], list[int]]:
    """Return the numbers of lines by the script, the engine and the languages in which they were read."""
    numbers: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for number, reading in readings.items():
        key = (reading.script, reading.engine_name, reading.codes)
        numbers.setdefault(key, []).append(number)
    return numbers
