"""Words in a script that the engine does not read, in lines that it reads otherwise.

The engine names words whose ink or letters are odd (`Engine.unread_words`). They are put on a sheet. A word
that an engine for Latin script reads alike is Latin. The engines for other scripts read the rest. Ink without
letters that none of them reads is a warning.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from . import languages, warning_texts
from .confidence import length_in_heights
from .documents.document import PageImage
from .engines import Engine, UnreadWord
from .fallback import FallbackEngines
from .other_scripts import RereadLines, by_engine, replaced
from .script_readings import (
    MIN_PROBABLE_CONFIDENCE,
    MIN_SCRIPT_LETTERS,
    Reading,
    ScriptReader,
    letters_in_script,
    looks_latin,
)
from .types import Box, Line, Options
from .warning_boxes import boxes_of
from .words import part_of_box

MAX_WORDS = 24
"""Words of a page that are read again. A sheet of as many takes 0.2 s for each script."""
SIDE_MARGIN = 0.08
"""Margin beside a word in heights of its line: half a space, without letters of the words beside it."""
MIN_LATIN_CONFIDENCE = 0.85
"""Confidence of other Latin letters than were read, from which the word is in no other script."""
SURE_LATIN_CONFIDENCE = 0.9
"""Confidence of Latin letters from which no other script is tried: other scripts had up to 0.88."""
MAX_LATIN_CONFIDENCE = 0.7
"""Confidence of Latin letters below which similar ones of another script are right: “комитет”."""
MIN_UNREAD_HEIGHTS = 0.7
"""Length of ink without letters, in heights of its line: a sign or a check box is shorter."""
CHECK_MARKS = frozenset("xXvV")
"""Letters as which the marks in wide check boxes are read."""
MARKS_BEFORE, MARKS_AFTER = r"^[(\[„“\"‘'«]+", r"[)\].,:;!?”\"’'»]+$"
MIXED_WORD = re.compile(r"[^\W\d_]\d|\d[^\W\d_]")
"""Letter and digit side by side: the letters of a word in another script than that of the engine."""
OUTER_MARKS = re.compile(r"^(?:(?!\w)[^\u0900-\u0dff])+|(?:(?!\w)[^\u0900-\u0dff])+$")
"""Marks around a word. Signs of vowels of Indic scripts are letters, though not for `re`."""


@dataclass(frozen=True)
class _Suspect:
    """Words of a line, one after the other, that may be in another script.

    line: number of the line on its page.
    text: what was read for them.
    """

    line: int
    unread: UnreadWord
    text: str
    box: Box

    @property
    def script(self) -> str | None:
        """Script of which the word has letters besides Latin ones: the network knows Greek from formulas."""
        counts = Counter(
            script
            for letter in self.text
            for script in languages.scripts_of_text([letter]) & languages.LOOK_ALIKE_SCRIPTS
        )
        return next((script for script, count in counts.items() if count >= MIN_SCRIPT_LETTERS), None)


def reread_other_script_words(
    page: PageImage, lines: Sequence[Line], engine: Engine, options: Options, fallback: FallbackEngines
) -> RereadLines | None:
    """Read suspect words of lines with engines for other scripts; return None if there are none.

    Args:
        page: the page.
        lines: all its lines in reading order.
        engine: the engine that read them.
        options: options of the read.
        fallback: the other engines.
    """
    suspects = list(_suspects(lines, engine))[:MAX_WORDS]
    if not suspects:
        return None
    words = [Line(page.number, one.text, "", one.box, 0.0) for one in suspects]
    reader = ScriptReader(
        page, words, engine, options, fallback, may_look_latin=True, side_margin=SIDE_MARGIN
    )
    found, unread = _readings(reader, suspects)
    warnings = [
        warning_texts.lines_read_in_script(page.number, boxes_of(words, numbers), script, name, codes, "word")
        for (script, name, codes), numbers in by_engine(found).items()
    ]
    if unread:
        boxes, hint = boxes_of(words, unread), fallback.install_hint(None)
        warnings.append(warning_texts.lines_not_read(page.number, boxes, None, engine.name, hint, "word"))
    return RereadLines(_with_words(lines, suspects, found), warnings)


def _suspects(lines: Sequence[Line], engine: Engine) -> Iterator[_Suspect]:
    for number, line in enumerate(lines):
        words = line.text.split(" ")
        if line.box is None:
            continue
        for unread in _joined(engine.unread_words(line)):
            if unread.stop <= len(words):
                text = " ".join(words[unread.start : unread.stop])
                yield _Suspect(number, unread, text, part_of_box(line.box, (unread.left, unread.right)))


def _joined(words: Sequence[UnreadWord]) -> list[UnreadWord]:
    """Return unread words with those that follow each other as one: their order depends on the script."""
    joined: list[UnreadWord] = []
    for word in words:
        if joined and joined[-1].stop == word.start:
            before = joined.pop()
            has_ink_alone = before.has_ink_alone or word.has_ink_alone
            word = word._replace(start=before.start, left=before.left, has_ink_alone=has_ink_alone)
        joined.append(word)
    return joined


def _readings(reader: ScriptReader, suspects: Sequence[_Suspect]) -> tuple[dict[int, Reading], list[int]]:
    """Return the readings of suspects in other scripts, and the suspects with ink that nothing reads."""
    latin = reader.latin_readings(range(len(suspects)))
    rest = [number for number, one in enumerate(suspects) if not _is_in_latin(one, latin.get(number))]
    if not rest:
        return {}, []
    found = reader.best_of([number for number in rest if suspects[number].script is None])
    found |= _in_own_letters(reader, suspects, rest)
    found = {number: reading for number, reading in found.items() if _is_better(reading, latin.get(number))}
    unread = [
        number for number in rest if number not in found and _is_unread(suspects[number], latin.get(number))
    ]
    return found, unread


def _in_own_letters(
    reader: ScriptReader, suspects: Sequence[_Suspect], numbers: Sequence[int]
) -> dict[int, Reading]:
    """Return the readings of suspects with letters of another script in that script, with less confidence."""
    by_script: defaultdict[str, list[int]] = defaultdict(list)
    for number in numbers:
        if script := suspects[number].script:
            by_script[script].append(number)
    found: dict[int, Reading] = {}
    probable = replace(reader, min_confidence=MIN_PROBABLE_CONFIDENCE)
    for script, of_script in by_script.items():
        found |= probable.best_of(of_script, scripts={script})
    return found


def _is_in_latin(suspect: _Suspect, latin: Reading | None) -> bool:
    """Return whether an engine for Latin script is sure of a suspect, or reads what was read."""
    if latin is None or not _is_latin(latin):
        return False
    return latin.confidence >= SURE_LATIN_CONFIDENCE or _letters(suspect.text) == _letters(latin.text)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _is_better(reading: Reading, latin: Reading | None) -> bool:
    """Return whether a reading is better than the one in Latin letters, and clearly so if it looks Latin."""
    if MIXED_WORD.search(reading.text):
        return False
    if looks_latin(reading.text):
        return latin is not None and latin.confidence < MAX_LATIN_CONFIDENCE
    return latin is None or not _is_latin(latin) or latin.confidence < reading.confidence


def _is_latin(reading: Reading) -> bool:
    in_script, letters = letters_in_script(reading.text, "Latin")
    return 0 < letters == in_script


def _is_unread(suspect: _Suspect, latin: Reading | None) -> bool:
    is_ink = suspect.unread.has_ink_alone and suspect.text not in CHECK_MARKS
    is_foreign = is_ink or suspect.script is not None
    if not is_foreign or length_in_heights(suspect.box) < MIN_UNREAD_HEIGHTS:
        return False
    return latin is None or latin.confidence < MIN_LATIN_CONFIDENCE


def _with_words(
    lines: Sequence[Line], suspects: Sequence[_Suspect], found: Mapping[int, Reading]
) -> list[Line]:
    """Return the lines with the readings in place of suspects."""
    result = list(lines)
    for number in sorted(found, reverse=True):  # from the end, so that the numbers of the words stay right
        suspect, line = suspects[number], result[suspects[number].line]
        words = line.text.split(" ")
        words[suspect.unread.start : suspect.unread.stop] = [_marked(found[number].text, suspect.text)]
        result[suspect.line] = replaced(line, " ".join(words), line.confidence)
    return result


def _marked(text: str, read: str) -> str:
    """Return a word with the marks around it as they were read: a crop shows parts of others as marks."""
    found = (re.search(end, read) for end in (MARKS_BEFORE, MARKS_AFTER))
    before, after = (mark[0] if mark else "" for mark in found)
    return before + OUTER_MARKS.sub("", text) + after
