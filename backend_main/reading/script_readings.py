"""Pieces of a page as engines for other scripts read them.

The engine with the script of a piece is confident and the others are not: 0.91 and more against 0.67 and
less, measured on lines with Tesseract's packs for Latin, Cyrillic, Greek, Hebrew, Arabic and Devanagari. So a
script is known only if it was read.
"""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from . import languages
from .documents.document import PageImage
from .engines import DetectedScript, Engine, lines_after_restart
from .fallback import LATIN_LANGUAGE, FallbackEngines
from .line_sheet import MARGIN_SHARE, LineSheet, sheet_batches
from .types import Line, Options, Word
from .warning_boxes import boxes_of
from .words import realigned

MIN_CONFIDENCE = 0.85
"""Confidence of a line in the script of its engine; a wrong script gets 0.67 and less."""
MIN_MEDIAN_CONFIDENCE = 0.75
"""Median confidence of the longest lines of a page in its script.

It is 0.81 for Ukrainian with the Russian pack, 0.89 and more with the pack of the language, and 0.61 and less
with others.
"""
MIN_PROBABLE_CONFIDENCE = 0.55
"""Confidence that is enough before the Latin words of the line are read as such."""
MIN_SCRIPT_LETTERS, MIN_SCRIPT_SHARE = 2, 0.4
"""Letters of a line in the script, and their share of its letters. Names and units stay Latin."""
MIN_LATIN_LETTERS = 4
"""Letters of a Latin word from which it is not a short word in the other script."""
LATIN_LOOK_ALIKES = frozenset("АВЕЅІЈКМНОРСТУХаеосрухѕіјԁһпгктмдиЗ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονικυρτ")
"""Cyrillic and Greek letters that look like Latin ones in some style of print."""

_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class Reading:
    """A line as an engine for a script read it."""

    text: str
    confidence: float
    words: tuple[Word, ...]
    script: str
    engine_name: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class ScriptReader:
    """Reader of lines of a page, or of parts of lines, with engines for other scripts than the engine's.

    may_look_latin: whether a reading may have no letters but such as look like Latin ones.
    side_margin: margin on a sheet at the ends of a line, in its height.
    min_confidence: confidence of a reading in the right script.
    """

    page: PageImage
    lines: Sequence[Line]
    engine: Engine
    options: Options
    fallback: FallbackEngines
    may_look_latin: bool = False
    side_margin: float = MARGIN_SHARE
    min_confidence: float = MIN_CONFIDENCE

    @property
    def own_scripts(self) -> frozenset[str]:
        return languages.scripts_of(self.engine.configured_languages())

    def best_of(self, numbers: Sequence[int], *, scripts: Iterable[str] | None = None) -> dict[int, Reading]:
        """Return the readings of those lines that an engine reads with confidence in another script."""
        tried = set(scripts) if scripts is not None else self.fallback.readable_scripts() - self.own_scripts
        best: dict[int, Reading] = {}
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
    ) -> dict[int, Reading]:
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
            if reading.confidence >= self.min_confidence
            and _is_in_script(reading, may_look_latin=self.may_look_latin or are_look_alikes)
        }

    def _probable(
        self, sheet: LineSheet, numbers: Sequence[int], script: str, *, with_latin: bool
    ) -> dict[int, Reading]:
        for engine in self.fallback.engines_for_script(script, self.options, with_latin=with_latin):
            pieces = sheet.by_line(lines_of(engine, sheet.page))
            codes = tuple(sorted(languages.languages_using_script(script, engine.configured_languages())))
            readings = [
                Reading(*sheet.joined(number, parts), script, engine.name, codes)
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

    def latin_readings(self, numbers: Sequence[int]) -> dict[int, Reading]:
        """Return the readings of lines by an engine for Latin script, whatever their confidence.

        It is the engine of the page if that reads Latin script: to load another one takes 0.4 s.
        """
        engine: Engine | None = self.engine
        if LATIN_LANGUAGE not in self.engine.supported_languages():
            engine = self.fallback.engine_for_language(LATIN_LANGUAGE, self.options)
        if engine is None:
            return {}
        sheet = self._sheet(numbers)
        pieces = sheet.by_line(lines_of(engine, sheet.page))
        return {
            number: Reading(*sheet.joined(place, parts), "Latin", engine.name, (LATIN_LANGUAGE,))
            for place, (number, parts) in enumerate(zip(numbers, pieces, strict=True))
        }

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
        return LineSheet.of(self.page, boxes_of(self.lines, numbers), self.side_margin)


def letters_in_script(text: str, script: str) -> tuple[int, int]:
    """Return the number of letters of a text in a script, and of all its letters."""
    letters = [letter for letter in text if unicodedata.category(letter)[0] in "LM"]
    return sum(script in languages.scripts_of_text([letter]) for letter in letters), len(letters)


def _is_in_script(reading: Reading, *, may_look_latin: bool) -> bool:
    in_script, letters = letters_in_script(reading.text, reading.script)
    if in_script < max(MIN_SCRIPT_LETTERS, MIN_SCRIPT_SHARE * letters):
        return False
    if looks_latin(reading.text):
        return may_look_latin and in_script == letters
    return True


def looks_latin(text: str) -> bool:
    """Return whether all letters of a text look like Latin ones in some style of print."""
    return set(filter(str.isalpha, text)) <= LATIN_LOOK_ALIKES


def _merged(alone: Reading, mixed: Reading | None) -> Reading:
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


def lines_of(engine: Engine, page: PageImage) -> list[Line]:
    """Return the lines with text that an engine reads on a sheet; none if it fails."""
    try:
        return [line for line in lines_after_restart(engine.read_column(page)) if line.text]
    except Exception as error:  # an engine may raise any exception
        _log.error("The engine %s could not read lines of page %d.", engine.name, page.number, exc_info=error)
        return []
