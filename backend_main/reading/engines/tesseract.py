"""Engine that runs the program Tesseract. Its languages are those of the installed language packs.

It uses one thread: with more, it takes five times the processor time for the same text. Tesseract's own
blocks, paragraphs and lines give the reading order, which is better than the order computed from its boxes.
"""

import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...sandbox.program_runner import run_program
from ..documents.document import PageImage
from ..documents.pixels import Pixels
from ..languages import LANGUAGES, SCRIPTS, common_languages, normalize_code, scripts_of
from ..layout.reading_order import NEW_LINE, NEW_PARAGRAPH, SPACE
from ..output.markdown import MarkdownWriter
from ..types import Box, Line, Options, Word, level_box
from ..words import realigned
from .base import DetectedScript, Engine
from .tesseract_words import refined_boxes

PROGRAM = "tesseract"
INSTALL_COMMAND = "apt install tesseract-ocr tesseract-ocr-deu"
MAX_SIDE_PIXELS = 32_767
"""Maximum side of an image that Tesseract accepts."""
MIN_CONFIDENCE = 0.3
"""Confidence below which a line is a picture, a stain or a rule."""
MAX_LANGUAGES = 3
"""Maximum number of languages by default: each one slows down every page."""
NON_LANGUAGE_PACKS = frozenset({"osd", "equ", "snum"})
PAGE_MODE, COLUMN_MODE = "3", "6"
"""Page segmentation modes: layout analysis, and one block of lines."""
KOREAN_PACK = "kor"
"""Pack of level Korean; vertical lines have a pack of their own."""
PACKS_WITHOUT_WORD_GAPS = (KOREAN_PACK, "jpn", "chi_")
"""Packs that split words into syllables, so that only wide gaps are spaces."""
TABLE_ROW = re.compile(r"[1-5]\t(?:-?\d+\t){9}")
LIST_HEADING = "List of available languages"
LIST_TIMEOUT_SECONDS = 20.0
MIN_SCRIPT_CONFIDENCE, MIN_SURE_SCRIPT_CONFIDENCE = 1.5, 12.0
"""Confidences of the script detection from which its script is probable, and sure.

It knows no Georgian, Armenian, Ethiopic, Khmer, Lao, Burmese or Tibetan, and named them Arabic, Latin or
Cyrillic with up to 10.6. Right names had from 1.2 (Hebrew) to 67.
"""


class TesseractEngine(Engine):
    """Engine that runs the program Tesseract."""

    name = "tesseract"
    provides_words = True
    detects_scripts = True

    @classmethod
    def unavailable_reason(cls) -> str | None:
        if shutil.which(PROGRAM) is None:
            return f"Tesseract is not installed. On Debian and Ubuntu, run `{INSTALL_COMMAND}`."
        if not _pack_by_code():
            return f"Tesseract has no language packs. On Debian and Ubuntu, run `{INSTALL_COMMAND}`."
        return None

    @classmethod
    def external_programs(cls) -> Sequence[str]:
        program = shutil.which(PROGRAM)
        return [program] if program else []

    @classmethod
    def readable_paths(cls) -> Sequence[Path]:
        packs = os.environ.get("TESSDATA_PREFIX")
        # Outside /usr, the libraries and packs are beside the program.
        prefixes = [Path(os.path.realpath(program)).parents[1] for program in cls.external_programs()]
        return [*([Path(packs)] if packs else []), *(Path(prefix, "lib") for prefix in prefixes)]

    @classmethod
    def supported_languages(cls) -> frozenset[str]:
        return frozenset(_pack_by_code())

    @classmethod
    def install_hint(cls, script: str | None) -> str | None:
        if shutil.which(PROGRAM) is None:
            return f"Tesseract may read it; on Debian and Ubuntu, run `{INSTALL_COMMAND}`."
        if script is None:
            return None
        codes = [code for code in common_languages(script) if code not in _pack_by_code()][:MAX_LANGUAGES]
        packages = " or ".join(map(_package, codes))
        return (
            f"Tesseract reads it with a language pack, on Debian and Ubuntu {packages}." if packages else None
        )

    @classmethod
    def language_hint(cls, code: str) -> str | None:
        if code not in LANGUAGES or code in _pack_by_code():
            return None
        command = f"apt install {_package(code)}"
        return f"Tesseract reads it with a language pack; on Debian and Ubuntu, run `{command}`."

    def load(self, threads: int) -> None:
        self._packs = _default_packs()

    def configure(self, options: Options) -> None:
        installed = _pack_by_code()
        codes = map(normalize_code, options.languages)
        self._packs = [installed[code] for code in codes if code in installed] or _default_packs()

    def configured_languages(self) -> frozenset[str]:
        return frozenset(normalize_code(pack) for pack in self._packs)

    def read_page(self, page: PageImage) -> Iterator[Line]:
        return self._read(page, PAGE_MODE)

    def read_column(self, page: PageImage) -> Iterator[Line]:
        return self._read(page, COLUMN_MODE)

    def _read(self, page: PageImage, mode: str) -> Iterator[Line]:
        # One recognition writes both: only the plain text has the right spaces between Korean syllables.
        arguments = ("-l", "+".join(self._packs), "--psm", mode, *_layout_options(self._packs))
        output = _run_on_page(page, *arguments, "tsv", "txt")
        table, plain = _split_output(output)
        writer = MarkdownWriter()
        previous: tuple[int, int, int] | None = None
        for line, group in groupby(_parse_words(table), key=lambda word: word.line):
            words = list(group)
            text = _text_of_line(words, plain)
            is_new_paragraph = previous is None or line[:2] != previous[:2]
            prefix = NEW_PARAGRAPH if is_new_paragraph else NEW_LINE
            confidence = sum(word.confidence for word in words) / len(words)
            if confidence < MIN_CONFIDENCE:
                writer.skip(prefix)
                yield Line(page.number, "", "", _bounding_box(words), confidence)
                continue
            markdown, box = writer.write(prefix, text), _bounding_box(words)
            yield Line(
                page.number, text, markdown, box, confidence, words=_words_of_text(text, words, page.pixels)
            )
            previous = line

    def detect_script(self, page: PageImage) -> DetectedScript | None:
        if "osd" not in _installed_packs():
            return None
        try:
            output = _run_on_page(page, "--psm", "0")
        except subprocess.CalledProcessError:  # too little text on the page
            return None
        fields = {
            name: value.strip() for name, _, value in (row.partition(":") for row in output.splitlines())
        }
        script = fields.get("Script")
        confidence = float(fields.get("Script confidence", 0))
        if script not in SCRIPTS or confidence < MIN_SCRIPT_CONFIDENCE:
            return None
        return DetectedScript(script, confidence >= MIN_SURE_SCRIPT_CONFIDENCE)


class _Word(NamedTuple):
    """Word with its box in pixels. `line` is the number of its block, paragraph and line."""

    line: tuple[int, int, int]
    left: int
    top: int
    right: int
    bottom: int
    confidence: float
    text: str


def _parse_words(rows: Sequence[str]) -> Iterator[_Word]:
    """Yield the words of Tesseract's TSV.

    Its columns: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
    """
    for row in rows:
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        block, paragraph, line, _, left, top, width, height = map(int, cells[2:10])
        yield _Word(
            line=(block, paragraph, line),
            left=left,
            top=top,
            right=left + width,
            bottom=top + height,
            confidence=max(0.0, float(cells[10])) / 100,
            text=" ".join(cells[11].split()),
        )


def _layout_options(packs: Sequence[str]) -> list[str]:
    """Return the options that the packs of square scripts need beside others, whose options differ."""
    options = []
    if any(pack.startswith(PACKS_WITHOUT_WORD_GAPS) for pack in packs):
        options += ["-c", "preserve_interword_spaces=1"]
    if KOREAN_PACK in packs:  # the layout analysis took level lines for vertical ones
        options += ["-c", "textord_tabfind_vertical_text=0"]
    return options


def _split_output(output: str) -> tuple[list[str], deque[str]]:
    """Return the rows of the table without their heading, and the lines of the plain text with text."""
    rows = output.splitlines()[1:]
    is_row = [TABLE_ROW.match(row) is not None for row in rows]
    end = len(rows) - is_row[::-1].index(True) if True in is_row else 0
    return rows[:end], deque(row.strip() for row in rows[end:] if row.strip())


def _text_of_line(words: Sequence[_Word], plain: deque[str]) -> str:
    """Return the text of a line as in the plain text, and remove it there; else its words with spaces."""
    letters = "".join(word.text for word in words).replace(SPACE, "")
    if plain and "".join(plain[0].split()) == letters:
        return SPACE.join(plain.popleft().split())
    return SPACE.join(word.text for word in words)


def _words_of_text(text: str, parts: Sequence[_Word], pixels: Pixels) -> tuple[Word, ...]:
    """Return the words of a line: Tesseract divides Korean ones, and does not divide Chinese text."""
    words, start = [], 0
    boxes = refined_boxes(pixels, [(part.left, part.top, part.right, part.bottom) for part in parts])
    for part, box in zip(parts, boxes, strict=True):
        words.append(Word(part.text, level_box(*box), part.confidence, start))
        start += len(part.text) + len(SPACE)
    return realigned(words, SPACE.join(part.text for part in parts), text, None)


def _bounding_box(words: Sequence[_Word]) -> Box:
    left, right = min(word.left for word in words), max(word.right for word in words)
    top, bottom = min(word.top for word in words), max(word.bottom for word in words)
    return level_box(left, top, right, bottom)


def _run_on_page(page: PageImage, *arguments: str) -> str:
    """Run Tesseract on a page; return its output.

    Raises:
        CalledProcessError: Tesseract failed.
        ValueError: the page is too large for Tesseract.
    """
    if max(page.width, page.height) > MAX_SIDE_PIXELS:
        raise ValueError(f"Tesseract reads at most {MAX_SIDE_PIXELS} pixels a side")
    # PNM needs neither compression nor a file.
    header = f"P6 {page.width} {page.height} 255\n".encode()
    pixels = np.ascontiguousarray(page.pixels[:, :, ::-1]).tobytes()
    command = [_program(), "-", "-", *arguments]
    status, output = run_program(command, header + pixels)
    if status:
        raise subprocess.CalledProcessError(status, command)
    return output.decode("utf-8", "replace")


def _program() -> str:
    path = shutil.which(PROGRAM)
    if path is None:
        raise FileNotFoundError(PROGRAM)
    return path


@cache
def _installed_packs() -> frozenset[str]:
    """Return the names of the installed language packs; empty if Tesseract does not run."""
    command = [PROGRAM, "--list-langs"]
    try:
        command[0] = _program()
        # Tesseract 4.0 writes the list to standard error.
        status, output = run_program(command, b"", timeout=LIST_TIMEOUT_SECONDS, merge_errors=True)
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    lines = [] if status else output.decode("utf-8", "replace").splitlines()
    heading = next((number for number, line in enumerate(lines) if line.startswith(LIST_HEADING)), len(lines))
    return frozenset(line.strip() for line in lines[heading + 1 :] if line.strip())


def _pack_by_code() -> dict[str, str]:
    """Return the installed packs by language code; a pack outside the table of languages by its own name."""
    installed = _installed_packs()
    packs: dict[str, str] = {}
    for language in LANGUAGES.values():
        pack = next((pack for pack in language.packs if pack in installed), None)
        if pack is not None:
            packs[language.code] = pack
    others = {
        pack
        for pack in installed - NON_LANGUAGE_PACKS
        if "/" not in pack and normalize_code(pack) == pack and pack not in LANGUAGES
    }
    return packs | {pack: pack for pack in others}


def _package(code: str) -> str:
    """Return the name of Debian's package with the pack of a language."""
    return f"tesseract-ocr-{LANGUAGES[code].packs[0].replace('_', '-')}"


def _default_packs() -> list[str]:
    """Return the packs for a read without languages: Latin ones if there are any, English first."""
    packs = _pack_by_code()
    latin = [code for code in packs if scripts_of([code]) == {"Latin"}]
    codes = sorted(latin or packs, key=lambda code: (code != "en", code))
    return [packs[code] for code in codes[:MAX_LANGUAGES]]
