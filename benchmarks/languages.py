"""Benchmark of drawn pages in twelve languages: letters, punctuation, amounts, hyphens and small print.

scanrill reads each page with the default engine and without a language, as a file that a user drops.
Tesseract reads it with the pack of the language. The figures are character error rate, word F1, and the marks
and letters beyond ASCII that are missing.

    .venv/bin/python -m benchmarks.languages --write
    .venv/bin/python -m benchmarks.languages --dpi 60 75 100 --languages de fr
"""

import argparse
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from backend_main import reading
from backend_main.reading.engines import load_engine
from backend_main.reading.engines.base import Engine
from backend_main.reading.engines.tesseract import TesseractEngine
from backend_main.reading.languages import LANGUAGES
from backend_main.reading.types import Options, PageDone
from benchmarks.readme_tables import write
from tests.support.language_pages import TEXTS, draw_page
from tests.support.scoring import Score, score

RESOLUTIONS = (60, 75, 100, 200)
FONT_COUNT = 2
MAX_LOST = 12
"""Lost characters that the table names."""
UNIFIED = str.maketrans("‘’“”–—−", "''\"\"---")
"""Marks that mean the same, and are not counted as lost."""


@dataclass
class Result:
    """Scores of a language at a resolution by one reader."""

    score: Score = field(default_factory=Score)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, lines: list[str]) -> None:
        truth = "\n".join(lines)
        self.score += score(text, truth)
        self.lost += lost_characters(text, truth)

    def cells(self) -> list[str]:
        most = " ".join(one for one, _ in self.lost.most_common(MAX_LOST))
        return [f"{100 * self.score.cer:.1f}", f"{self.score.word_f1:.3f}", most]


def lost_characters(text: str, truth: str) -> Counter[str]:
    """Return the characters beyond ASCII that a text lacks."""
    known = Counter(one for one in truth.translate(UNIFIED) if not one.isascii())
    return known - Counter(text.translate(UNIFIED))


def measure(codes: Iterable[str], resolutions: Iterable[int]) -> dict[tuple[str, int, str], Result]:
    """Return the results by language, resolution and reader."""
    results: dict[tuple[str, int, str], Result] = {}
    for code in codes:
        for dpi in resolutions:
            for number in range(FONT_COUNT):
                page = draw_page(code, dpi, number)
                if page is None:
                    continue
                with tempfile.NamedTemporaryFile(suffix=".png") as file:
                    page.image.save(file.name)
                    for name, text in read_all(Path(file.name), code):
                        results.setdefault((code, dpi, name), Result()).add(text, page.lines)
    return results


def read_all(path: Path, code: str) -> Iterable[tuple[str, str]]:
    """Yield the text of a page by reader."""
    events = reading.read(path, Options(threads=1, furniture="keep"), rapid())
    yield "scanrill", next(event.markdown for event in events if isinstance(event, PageDone))
    if code in TesseractEngine.supported_languages():
        command = ["tesseract", str(path), "-", "-l", LANGUAGES[code].packs[0]]
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        yield "Tesseract", done.stdout


@cache
def rapid() -> Engine:
    return load_engine("rapid", 1)


def table(results: dict[tuple[str, int, str], Result]) -> str:
    lines = ["| language | dpi | read by | CER % | word F1 | lost |", "|---|---:|---|---:|---:|---|"]
    for (code, dpi, name), result in results.items():
        lines.append(f"| {LANGUAGES[code].name} | {dpi} | {name} | {' | '.join(result.cells())} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--languages", nargs="*", default=tuple(TEXTS))
    parser.add_argument("--dpi", nargs="*", type=int, default=RESOLUTIONS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    packs = ", ".join(sorted(TesseractEngine.supported_languages()))
    head = f"`.venv/bin/python -m benchmarks.languages --write`, with Tesseract's packs for {packs}."
    text = f"{head}\n\n{table(measure(options.languages, options.dpi))}"
    print(text)
    if options.write:
        write("languages", text)


if __name__ == "__main__":
    main()
