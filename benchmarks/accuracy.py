"""Benchmark of accuracy on sets of pages with known text: characters, words and structure.

Three programs read the pages, each with one thread and page after page: scanrill (`backend_main.reading.read`
with the default engine), RapidOCR with its own settings, and Tesseract with the languages of each set.

The figures of a set are character and word error rates and word F1 (`tests/support/scoring.py`), CPU seconds
per page, and the median time to the first text of a page. The other two programs return their text at the end
only. If the Markdown of the pages is known, reading order, tables and headings are scored as well
(`tests/support/markdown_structure_score.py`).

    .venv/bin/python -m benchmarks.accuracy --write
    .venv/bin/python -m benchmarks.accuracy --cache DIR --only scanrill

With `--cache`, each page is recognized once. Later runs only repeat the layout analysis. Runs may share a
cache.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.accuracy_readers import Cache, Page, Reading, missing_languages, readers
from benchmarks.readme_tables import write
from tests.support import markdown_structure_score
from tests.support.scoring import Score, score

PAGES = Path(__file__).parents[2] / "shared" / "data"
SETS = (
    "sroie",
    "funsd",
    "pdfpages",
    "mdrender",
    "omni_en",
    "omni_zh",
    "udhr_deu",
    "udhr_fra",
    "udhr_eng",
    "udhr_cmn",
)
SCANRILL = "scanrill"

Structure = tuple[float | None, float | None, float | None]
"""Reading order, tables, headings."""

# Goals for scanrill: maximum character error rate in percent, minimum word F1, minimum structure scores.
MAX_CER = {"sroie": 9, "pdfpages": 10, "mdrender": 3, "omni_en": 25, "omni_zh": 25}
MIN_F1 = {
    "sroie": 0.899,
    "funsd": 0.837,
    "pdfpages": 0.959,
    "mdrender": 0.994,
    "omni_en": 0.881,
    "omni_zh": 0.963,
    "udhr_deu": 0.991,
    "udhr_fra": 0.998,
    "udhr_eng": 0.997,
    "udhr_cmn": 1.0,
}
MIN_STRUCTURE: dict[str, Structure] = {
    "mdrender": (0.95, 0.80, 0.92),
    "omni_en": (None, None, 0.60),
    "omni_zh": (None, 0.60, 0.60),
}


@dataclass
class Result:
    """Scores of one set by one reader."""

    score: Score = field(default_factory=Score)
    structures: list[Structure] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def add(self, page: Page, reading: Reading) -> None:
        self.score += score(reading.text, page.truth)
        self.readings.append(reading)
        if page.markdown is not None:
            measures = (
                markdown_structure_score.reading_order,
                markdown_structure_score.tables,
                markdown_structure_score.headings,
            )
            order, tables, headings = (measure(reading.text, page.markdown) for measure in measures)
            self.structures.append((order, tables, headings))

    def structure(self, number: int) -> float | None:
        found = [value for one in self.structures if (value := one[number]) is not None]
        return statistics.mean(found) if found else None

    @property
    def cpu(self) -> float:
        return statistics.mean(reading.cpu for reading in self.readings)

    @property
    def first(self) -> float:
        return statistics.median(reading.first for reading in self.readings)


Results = dict[str, dict[str, Result]]
"""Results by set, then by reader."""


def load_pages(folder: Path, name: str) -> list[Page]:
    found = sorted(path for path in (folder / name).glob("*") if path.suffix in (".png", ".jpg"))
    pages = []
    for path in found:
        markdown = path.with_name(path.stem + ".gt.md")
        truth = path.with_name(path.stem + ".gt.txt").read_text()
        pages.append(Page(name, path, truth, markdown.read_text() if markdown.exists() else None))
    return pages


def measure(folder: Path, sets: Iterable[str], only: Sequence[str], cache: Cache) -> Results:
    chosen = {name: read for name, read in readers(cache).items() if not only or name in only}
    results: Results = {}
    for group in sets:
        for page in load_pages(folder, group):
            print(f"{group} {page.path.name}", end="\r", file=sys.stderr)
            for name, read in chosen.items():
                results.setdefault(group, {}).setdefault(name, Result()).add(page, read(page))
    return results


# ── the table ──


def table(results: Results) -> str:
    columns = (
        "CER %",
        "WER %",
        "word F1",
        "order",
        "tables",
        "headings",
        "CPU, s a page",
        "first text, s",
    )
    lines = [f"| set | read by | {' | '.join(columns)} |", f"|---|---|{'---:|' * len(columns)}"]
    for group, by_reader in results.items():
        for name, result in by_reader.items():
            title = f"{group} ({len(result.readings)})" if name == next(iter(by_reader)) else ""
            lines.append(f"| {title} | {name} | {' | '.join(_cells(result))} |")
    return "\n".join(lines)


def _cells(result: Result) -> list[str]:
    structures = [result.structure(number) for number in range(3)]
    return [
        f"{100 * result.score.cer:.1f}",
        f"{100 * result.score.wer:.1f}",
        f"{result.score.word_f1:.3f}",
        *("" if value is None else f"{value:.3f}" for value in structures),
        f"{result.cpu:.2f}",
        f"{result.first:.2f}",
    ]


def check_goals(results: Results) -> str:
    """Return the number of goals met, and a line for each goal missed."""
    missed, met = list[str](), 0
    for group, by_reader in results.items():
        if SCANRILL not in by_reader:
            continue
        for goal, is_met in _set_goals(group, by_reader[SCANRILL]):
            met += is_met
            missed += [] if is_met else [goal]
    return "\n".join([f"Goals met: {met}. Missed: {len(missed) or 'none'}.", *(f"- {one}" for one in missed)])


def _set_goals(group: str, result: Result) -> Iterable[tuple[str, bool]]:
    cer, f1 = 100 * result.score.cer, result.score.word_f1
    if group in MAX_CER:
        yield f"{group}: CER {cer:.1f} %, goal {MAX_CER[group]}", cer <= MAX_CER[group]
    if group in MIN_F1:
        yield f"{group}: word F1 {f1:.3f}, goal {MIN_F1[group]}", round(f1, 3) >= MIN_F1[group]
    for number, (name, minimum) in enumerate(
        zip(("order", "tables", "headings"), MIN_STRUCTURE.get(group, ()), strict=False)
    ):
        if minimum is None:
            continue
        value = result.structure(number) or 0.0
        yield f"{group}: {name} {value:.3f}, goal {minimum}", value >= minimum


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=Path, default=PAGES)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--only", nargs="*", default=(), help="readers (default: all that are installed)")
    parser.add_argument("--cache", type=Path, help="directory for recognized lines")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    sets = [name for name in options.sets if (options.pages / name).is_dir()]
    if not sets:
        sys.exit(f"None of the sets {', '.join(options.sets)} is in {options.pages}. Set --pages DIR.")
    if (not options.only or "Tesseract" in options.only) and (packs := missing_languages(sets)):
        sys.exit(f"Tesseract lacks the languages {', '.join(packs)}. Install tesseract-ocr-chi-sim etc.")
    load = os.getloadavg()[0]
    results = measure(options.pages, sets, options.only, Cache(options.cache))
    head = f"`.venv/bin/python -m benchmarks.accuracy --write`, one thread, load average {load:.1f} before."
    if options.cache:
        head += " With `--cache`: recognition and its time are from an earlier run, layout from this one."
    text = "\n\n".join([head, table(results), check_goals(results), *_missing_readers(results)])
    print(text)
    if options.write:
        write("accuracy", text)


def _missing_readers(results: Results) -> list[str]:
    names = {name for by_reader in results.values() for name in by_reader}
    return [] if "Tesseract" in names else ["Tesseract is not installed or was not selected."]


if __name__ == "__main__":
    main()
