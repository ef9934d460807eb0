"""Lines of a page in a script that its engine does not read, among lines that it reads.

A model that lacks the letters of a line drops it, or returns few or similar letters. Such lines are put on a
sheet, which each local engine reads for each script that it has. The engine with the script of the line is
confident and the others are not: 0.91 and more against 0.67 and less, measured with Tesseract's packs for
Latin, Cyrillic, Greek, Hebrew, Arabic and Devanagari. So the script of a line is known only if it was read.
"""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import msgspec

from . import languages, warning_texts
from .confidence import LOW_CONFIDENCE, MIN_LETTERS_PER_HEIGHT, length_in_heights
from .documents.document import PageImage
from .engines import DetectedScript, Engine, lines_after_restart
from .fallback import FallbackEngines
from .layout.text_joining import CJK
from .line_sheet import MAX_SHEET_LINES, LineSheet, sheet_batches
from .output.escaping import escape
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
MIN_CONFIDENCE = 0.85
"""Confidence of a line in the script of its engine; a wrong script gets 0.67 and less."""
SAMPLE_LINES = 6
"""Longest lines of an unreadable page that show its script."""
MIN_MEDIAN_CONFIDENCE = 0.75
"""Median confidence of these lines in the right script: 0.81 for Ukrainian with the Russian pack, 0.89 and
more with the pack of the language, 0.61 and less with others."""
MIN_PROBABLE_CONFIDENCE = 0.55
"""Confidence that is enough before the Latin words of the line are read as such."""
MIN_SCRIPT_LETTERS, MIN_SCRIPT_SHARE = 2, 0.4
"""Letters of a line in the script, and their share of its letters. Names and units stay Latin."""
MIN_LATIN_LETTERS = 4
"""Letters of a Latin word from which it is not a short word in the other script."""
LATIN_LOOK_ALIKES = frozenset("АВЕЅІЈКМНОРСТУХаеосрухѕіјԁһпгктмдиЗ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονικυρτ")
"""Cyrillic and Greek letters that look like Latin ones in some style of print."""
LATIN_WITH_LOOK_ALIKES = frozenset("ABCEHIJKMOPSTXYZaceijknoprstuvxymg")

_log = logging.getLogger("scanrill.reading")


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
    read = _Rereading(page, lines, engine, options, fallback)
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
        for (script, name, codes), numbers in _by_engine(found).items()
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
    return _Rereading(page, lines, engine, options, fallback).script_of(numbers[:SAMPLE_LINES])


@dataclass(frozen=True)
class _Reading:
    """A line as an engine for a script read it."""

    text: str
    confidence: float
    words: tuple[Word, ...]
    script: str
    engine_name: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class _Rereading:
    page: PageImage
    lines: Sequence[Line]
    engine: Engine
    options: Options
    fallback: FallbackEngines

    @property
    def own_scripts(self) -> frozenset[str]:
        return languages.scripts_of(self.engine.configured_languages())

    def best_of(self, numbers: Sequence[int], *, scripts: Iterable[str] | None = None) -> dict[int, _Reading]:
        """Return the readings of those lines that an engine reads with confidence in another script."""
        tried = set(scripts) if scripts is not None else self.fallback.readable_scripts() - self.own_scripts
        best: dict[int, _Reading] = {}
        for batch in sheet_batches(numbers):
            sheet = self._sheet(batch)
            for script in sorted(tried):
                found = self._read(sheet, batch, script, are_look_alikes=scripts is not None)
                for number, reading in found.items():
                    if number not in best or best[number].confidence < reading.confidence:
                        best[number] = reading
        return best

    def _read(
        self, sheet: LineSheet, numbers: Sequence[int], script: str, *, are_look_alikes: bool
    ) -> dict[int, _Reading]:
        """Return the convincing readings in a script. Latin words are read as such only where it pays."""
        alone = self._probable(sheet, numbers, script, with_latin=False)
        if not alone:
            return {}
        is_sure = all(reading.confidence >= MIN_CONFIDENCE for reading in alone.values())
        if script not in languages.LOOK_ALIKE_SCRIPTS and is_sure:
            mixed = {}
        else:
            mixed = self._probable(sheet, numbers, script, with_latin=True)
        best = {number: _merged(alone[number], mixed.get(number)) for number in alone}
        return {
            number: reading
            for number, reading in best.items()
            if reading.confidence >= MIN_CONFIDENCE and _is_in_script(reading, may_look_latin=are_look_alikes)
        }

    def _probable(
        self, sheet: LineSheet, numbers: Sequence[int], script: str, *, with_latin: bool
    ) -> dict[int, _Reading]:
        for engine in self.fallback.engines_for_script(script, self.options, with_latin=with_latin):
            pieces = sheet.by_line(lines_of(engine, sheet.page))
            codes = tuple(sorted(languages.languages_using_script(script, engine.configured_languages())))
            readings = [
                _Reading(*sheet.joined(number, parts), script, engine.name, codes)
                for number, parts in enumerate(pieces)
            ]
            found = {
                number: reading
                for number, reading in zip(numbers, readings, strict=True)
                if reading.confidence >= MIN_PROBABLE_CONFIDENCE
            }
            if found:
                return found
        return {}

    def detect_script(self, numbers: Sequence[int]) -> DetectedScript | None:
        """Return the script of lines that no engine reads; None if an engine for it could not read them."""
        script = self.fallback.detect_script(self._sheet(numbers).page)
        is_wrong = script is not None and script.name in self.own_scripts | self.fallback.readable_scripts()
        return None if is_wrong else script

    def script_of(self, numbers: Sequence[int]) -> str | None:
        """Return the script in which an engine reads lines with the most confidence; None if none does."""
        sheet = self._sheet(numbers)
        confidences = {}
        for script in sorted(self.fallback.readable_scripts() - self.own_scripts):
            readings = self._probable(sheet, numbers, script, with_latin=False).values()
            letters = [letters_in_script(reading.text, script) for reading in readings]
            if 2 * sum(in_script for in_script, _ in letters) > sum(count for _, count in letters):
                unread = [0.0] * (len(numbers) - len(readings))
                confidences[script] = median([*unread, *(reading.confidence for reading in readings)])
        best = max(confidences, key=confidences.__getitem__, default=None)
        return best if best is not None and confidences[best] >= MIN_MEDIAN_CONFIDENCE else None

    def _sheet(self, numbers: Sequence[int]) -> LineSheet:
        return LineSheet.of(self.page, boxes_of(self.lines, numbers))


def letters_in_script(text: str, script: str) -> tuple[int, int]:
    """Return the number of letters of a text in a script, and of all its letters."""
    letters = [letter for letter in text if unicodedata.category(letter)[0] in "LM"]
    return sum(script in languages.scripts_of_text([letter]) for letter in letters), len(letters)


def _is_in_script(reading: _Reading, *, may_look_latin: bool) -> bool:
    in_script, letters = letters_in_script(reading.text, reading.script)
    if in_script < max(MIN_SCRIPT_LETTERS, MIN_SCRIPT_SHARE * letters):
        return False
    if set(filter(str.isalpha, reading.text)) <= LATIN_LOOK_ALIKES:
        return may_look_latin and in_script == letters
    return True


def _merged(alone: _Reading, mixed: _Reading | None) -> _Reading:
    """Return the reading in one script with the Latin words of the mixed one: “Name”, not “Мате”."""
    if mixed is None:
        return alone
    words, mixed_words = alone.text.split(" "), mixed.text.split(" ")
    if len(words) != len(mixed_words):
        return max(alone, mixed, key=lambda reading: reading.confidence)
    merged = [
        other if _is_latin(other, word) else word for word, other in zip(words, mixed_words, strict=True)
    ]
    text, confidence = " ".join(merged), max(alone.confidence, mixed.confidence)
    return replace(
        alone, text=text, confidence=confidence, words=realigned(alone.words, alone.text, text, None)
    )


def _is_latin(word: str, in_script: str) -> bool:
    if languages.scripts_of_text(word) != {"Latin"}:
        return False
    return (
        sum(map(str.isalpha, word)) >= MIN_LATIN_LETTERS
        or set(filter(str.isalpha, in_script)) <= LATIN_LOOK_ALIKES
    )


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


def lines_of(engine: Engine, page: PageImage) -> list[Line]:
    """Return the lines with text that an engine reads on a sheet; none if it fails."""
    try:
        return [line for line in lines_after_restart(engine.read_column(page)) if line.text]
    except Exception as error:  # an engine may raise any exception
        _log.error("The engine %s could not read lines of page %d.", engine.name, page.number, exc_info=error)
        return []


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


def _by_engine(readings: dict[int, _Reading]) -> dict[tuple[str, str, tuple[str, ...]], list[int]]:
    """Return the numbers of lines by the script, the engine and the languages in which they were read."""
    numbers: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
    for number, reading in readings.items():
        key = (reading.script, reading.engine_name, reading.codes)
        numbers.setdefault(key, []).append(number)
    return numbers
