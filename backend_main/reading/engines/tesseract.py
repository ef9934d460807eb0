"""Step 10 - Tesseract, the program, where it is installed; its languages are those of its installed packs.

One thread: with more, it takes five times the processor time for the same text. Its own blocks, paragraphs
and lines give the order and the paragraphs, since they are better than what its boxes alone would tell.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from subprocess import PIPE
from typing import NamedTuple

import numpy as np

from ..documents.document import PageImage
from ..languages import LANGUAGES, SCRIPTS, languages_using_script, normalize_code, scripts_of
from ..layout.reading_order import NEW_LINE, NEW_PARAGRAPH, SPACE
from ..output.markdown import MarkdownWriter
from ..types import Box, Line, Options
from .base import Engine

PROGRAM = "tesseract"
INSTALL = "apt install tesseract-ocr tesseract-ocr-deu (on Debian and Ubuntu, one package a language)"
MAX_SIDE_PIXELS = 32_767
"""Tesseract refuses more."""
MIN_CONFIDENCE = 0.3
"""Of a line: below are pictures, stains and rules that it takes for letters."""
MAX_LANGUAGES = 3
"""Of those that nobody asked for: each makes every page take longer."""
MEMORY_BYTES = 3 << 30
"""Of the program, for the largest page that is read by default."""
NO_LANGUAGES = frozenset({"osd", "equ", "snum"})
LIST_TIMEOUT_SECONDS = 20.0


class TesseractEngine(Engine):
    name = "tesseract"
    detects_scripts = True

    @classmethod
    def unavailable_reason(cls) -> str | None:
        if shutil.which(PROGRAM) is None:
            return f"Tesseract is not installed; {INSTALL} brings it."
        if not _languages_by_code():
            return f"Tesseract has no language packs; {INSTALL} brings them."
        return None

    @classmethod
    def supported_languages(cls) -> frozenset[str]:
        return frozenset(_languages_by_code())

    @classmethod
    def install_hint(cls, script: str) -> str:
        if shutil.which(PROGRAM) is None:
            return f"Tesseract may read it: {INSTALL}."
        packages = [
            f"tesseract-ocr-{LANGUAGES[code].packs[0]}" for code in languages_using_script(script, LANGUAGES)
        ]
        if not packages:
            return ""
        choice = " or ".join(packages[:MAX_LANGUAGES])
        return f"Tesseract reads it with a language pack, on Debian and Ubuntu {choice}."

    def load(self, threads: int) -> None:
        self._installed_languages = _default_packs()

    def configure(self, options: Options) -> None:
        known = _languages_by_code()
        asked = [known[code] for code in map(normalize_code, options.languages) if code in known]
        self._installed_languages = asked or _default_packs()

    def configured_languages(self) -> frozenset[str]:
        return frozenset(normalize_code(pack) for pack in self._installed_languages)

    def read_page(self, page: PageImage) -> Iterator[Line]:
        found = _words(_run(page, "-l", "+".join(self._installed_languages), "--psm", "3", "tsv"))
        writer, before = MarkdownWriter(), None
        for line, grouped in groupby(found, key=lambda word: word.line):
            words = list(grouped)
            lead = NEW_PARAGRAPH if before is None or line[:2] != before[:2] else NEW_LINE
            confidence = sum(word.confidence for word in words) / len(words)
            if confidence < MIN_CONFIDENCE:
                writer.skip(lead)
                yield Line(page.number, "", "", _bounding_box(words), confidence)
                continue
            text = SPACE.join(word.text for word in words)
            yield Line(page.number, text, writer.write(lead, text), _bounding_box(words), confidence)
            before = line

    def detect_script(self, page: PageImage) -> str | None:
        """By its detector of scripts, which a page with little on it leaves without an answer."""
        if "osd" not in _installed_languages():
            return None
        try:
            told = _run(page, "--psm", "0")
        except subprocess.CalledProcessError:
            return None
        lines = [line.partition(":") for line in told.splitlines()]
        script = next((value.strip() for name, _, value in lines if name == "Script"), "")
        return script if script in SCRIPTS else None


class _Word(NamedTuple):
    """`line` is its block, paragraph and line, by number."""

    line: tuple[int, int, int]
    left: int
    top: int
    right: int
    bottom: int
    confidence: float
    text: str


def _words(table: str) -> Iterator[_Word]:
    """The words of Tesseract's TSV: level, page, block, paragraph, line, word, box, confidence, text."""
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        block, paragraph, line, _, left, top, width, height = map(int, cells[2:10])
        confidence = max(0.0, float(cells[10])) / 100
        yield _Word(
            (block, paragraph, line),
            left,
            top,
            left + width,
            top + height,
            confidence,
            " ".join(cells[11].split()),
        )


def _bounding_box(words: list[_Word]) -> Box:
    left, right = min(word.left for word in words), max(word.right for word in words)
    top, bottom = min(word.top for word in words), max(word.bottom for word in words)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _run(page: PageImage, *arguments: str) -> str:
    """What the program says of a page. Raises CalledProcessError, ValueError on a page beyond its size."""
    if max(page.width, page.height) > MAX_SIDE_PIXELS:
        raise ValueError(f"Tesseract reads at most {MAX_SIDE_PIXELS} pixels a side")
    # As PNM: it needs no packing, and the program no file.
    header = f"P6 {page.width} {page.height} 255\n".encode()
    pixels = np.ascontiguousarray(page.pixels[:, :, ::-1]).tobytes()
    command = [_program(), "-", "-", *arguments]
    with subprocess.Popen(  # noqa: S603 - a list, and no part of it is a user's
        command, stdin=PIPE, stdout=PIPE, stderr=subprocess.DEVNULL, env=_environment()
    ) as program:
        # The host weighs its child, not what that starts. The page's time ends both.
        resource.prlimit(program.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        said, _ = program.communicate(header + pixels)
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, command)
    return said.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "TESSDATA_PREFIX")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"OMP_THREAD_LIMIT": "1"}


def _program() -> str:
    found = shutil.which(PROGRAM)
    if found is None:
        raise FileNotFoundError(PROGRAM)
    return found


@cache
def _installed_languages() -> frozenset[str]:
    """The installed packs; asked once a process."""
    try:
        done = subprocess.run(  # noqa: S603 - a list, and no part of it is a user's
            [_program(), "--list-langs"],
            capture_output=True,
            env=_environment(),
            timeout=LIST_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    # The first line is a sentence; 4.0 says all of it on standard error.
    lines = (done.stdout or done.stderr).decode("utf-8", "replace").splitlines()[1:]
    return frozenset(line.strip() for line in lines if line.strip())


def _languages_by_code() -> dict[str, str]:
    """Language → the pack that reads it; a pack of no language of the table stands under its own name."""
    found: dict[str, str] = {}
    for language in LANGUAGES.values():
        pack = next((pack for pack in language.packs if pack in _installed_languages()), None)
        if pack is not None:
            found[language.code] = pack
    others = {
        pack
        for pack in _installed_languages() - NO_LANGUAGES
        if "/" not in pack and normalize_code(pack) == pack
    }
    return found | {pack: pack for pack in others if pack not in LANGUAGES}


def _default_packs() -> list[str]:
    """For who asks for no language: the Latin ones, if there are any; English first."""
    known = _languages_by_code()
    latin = [code for code in known if scripts_of([code]) == {"Latin"}]
    chosen = sorted(latin or known, key=lambda code: (code != "en", code))
    return [known[code] for code in chosen[:MAX_LANGUAGES]]
