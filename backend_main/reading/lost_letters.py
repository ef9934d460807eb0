"""Lines in a language of the engine's script, of which the engine lacks letters.

PP-OCRv6 leaves the letters of Vietnamese with two marks out, with a confidence of 0.98: “Cng hòa xã hi”. Only
the words give it away. A Vietnamese word is one syllable, of which this leaves the consonants in their order.
"""

import re
from collections.abc import Sequence

from . import languages, warning_texts
from .character_sets import exemplar_letters
from .documents.document import PageImage
from .engines import Engine
from .fallback import FallbackEngines
from .line_sheet import LineSheet, sheet_batches
from .other_scripts import RereadLines, replaced
from .script_readings import lines_of
from .types import Line, Options
from .warning_boxes import boxes_of

VOWELS = "aàáãảåạâăeèéẽêiìíĩoòóõôơuùúũưyý"
"""Vowels of Vietnamese as the engine returns them: it reads `ả` as `å`."""
SYLLABLE = re.compile(
    r"(?:ngh|gh|gi|kh|ng|nh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx])?"
    rf"[{VOWELS}]{{0,3}}(?:ch|ng|nh|[cmnpt])?"
)
"""A Vietnamese syllable, whose vowels may be missing."""
MARKS = frozenset("ăđơư")
"""Letters of Vietnamese that the engine has, and few other languages."""
MIN_WORDS = 8
"""Words of a page from which its language is clear."""
MIN_SYLLABLE_SHARE = 0.85
"""Share of words that are syllables. A third of the words of English and Croatian are."""
MIN_DAMAGED_SHARE = 0.15
"""Share of words without a vowel or with one of `MARKS`; names in Chinese transcription have none."""
MIN_CONFIDENCE = 0.75
"""Confidence of a line as the other engine reads it."""
LANGUAGE = "vi"


def is_damaged_vietnamese(texts: Sequence[str]) -> bool:
    """Return whether texts are Vietnamese: with letters of it, or with words that have lost theirs."""
    words = [word for text in texts for word in re.findall(r"[^\W\d_]{2,}", text.lower())]
    if len(words) < MIN_WORDS:
        return False
    syllables = sum(SYLLABLE.fullmatch(word) is not None for word in words)
    damaged = sum(not set(word) & set(VOWELS) or bool(set(word) & MARKS) for word in words)
    return syllables >= MIN_SYLLABLE_SHARE * len(words) and damaged >= MIN_DAMAGED_SHARE * len(words)


def reread_lost_letters(
    page: PageImage, lines: Sequence[Line], engine: Engine, options: Options, fallback: FallbackEngines
) -> RereadLines | None:
    """Read the lines of a Vietnamese page, or part of one, with an engine that has its letters.

    Returns:
        The lines of the page and a warning; None if the engine has the letters, or there are no such lines.
    """
    known = engine.configured_languages()
    if not known or LANGUAGE in known:
        return None
    numbers = _vietnamese_lines(lines)
    if not numbers:
        return None
    name = languages.LANGUAGES[LANGUAGE].name
    other = fallback.engine_for_language(LANGUAGE, options)
    read = _read(page, lines, numbers, other) if other is not None else {}
    result = [read.get(number, line) for number, line in enumerate(lines)]
    warnings = []
    if other is not None and read:
        boxes = boxes_of(lines, read)
        warnings.append(warning_texts.language_read(page.number, boxes, name, engine.name, other.name))
    if unread := boxes_of(lines, [number for number in numbers if number not in read]):
        hint = fallback.language_hint(LANGUAGE)
        warnings.append(warning_texts.language_not_read(page.number, unread, name, engine.name, hint))
    return RereadLines(result, warnings)


def _vietnamese_lines(lines: Sequence[Line]) -> list[int]:
    """Return the lines that are Vietnamese, if they are enough to be sure."""
    chosen = [
        number for number, line in enumerate(lines) if line.box is not None and _may_be_vietnamese(line)
    ]
    return chosen if is_damaged_vietnamese([lines[number].text for number in chosen]) else []


def _may_be_vietnamese(line: Line) -> bool:
    words = re.findall(r"[^\W\d_]{2,}", line.text.lower())
    return len(words) > 1 and sum(SYLLABLE.fullmatch(word) is not None for word in words) >= 0.75 * len(words)


def _read(page: PageImage, lines: Sequence[Line], numbers: Sequence[int], other: Engine) -> dict[int, Line]:
    read = {}
    for batch in sheet_batches(numbers):
        sheet = LineSheet.of(page, boxes_of(lines, batch))
        pieces = sheet.by_line(lines_of(other, sheet.page))
        for place, (number, parts) in enumerate(zip(batch, pieces, strict=True)):
            reading = sheet.joined(place, parts)
            if reading.confidence >= MIN_CONFIDENCE and set(reading.text) & exemplar_letters(LANGUAGE):
                read[number] = replaced(lines[number], *reading)
    return read
