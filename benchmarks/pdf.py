"""Benchmark of PDFs that programs made: words, structure, and CPU time.

The files of `pdf_digital` are read as they are, not as images. Chromium or WeasyPrint printed each from known
Markdown. Three programs read each file directly after each other, with one thread: scanrill, markitdown with
pdfminer.six, and `pdftotext -layout` of poppler-utils. Their start and the loading of models do not count.

Word F1 and word recall (`tests/support/scoring.py`) ignore order. Recall is the share of the known words that
are found. Running heads, page numbers, and the address that a browser prints are not in the known Markdown.
Reading order, tables and headings are scored by `tests/support/markdown_structure_score.py`.

`--diff` lists the lost and the surplus words of each file, and `--by-layout` adds a table of the layouts of
`benchmarks.pdf_pages`. `pdf_report.py` measures a long report, and the time to the first text.

    .venv/bin/python -m benchmarks.pdf --write
    .venv/bin/python -m benchmarks.pdf --files DIR --diff --by-layout
"""

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2

from benchmarks import pdf_readers, pdf_report
from benchmarks.pdf_readers import SCANRILL, Reader
from benchmarks.readme_tables import write
from tests.support import markdown_structure_score
from tests.support.scoring import Score, bare, score, words

FILES = Path(__file__).parents[2] / "shared" / "data" / "pdf_digital"
MEASURES = (
    markdown_structure_score.reading_order,
    markdown_structure_score.tables,
    markdown_structure_score.headings,
)
PRINTERS = {"Chromium": "chrome", "WeasyPrint": "weasy", "all": ""}
"""Part of a file's name, by the program that printed it."""
COLUMNS = ("word F1", "word recall", "order", "tables", "headings", "CPU, ms a page", "median")
# Word F1, order, tables and headings of scanrill when it read the rectangles of text that pdfium returns.
BEFORE = (0.915, 0.941, 0.543, 0.761)
GOALS = {"word F1": 0.99, "order": 0.97, "tables": 0.90, "headings": 0.90}
GOAL_CPU_MS = 60
MAX_WORDS_SHOWN = 40


@dataclass(frozen=True)
class File:
    """PDF with known Markdown."""

    path: Path
    truth: str
    pages: int

    @property
    def layout(self) -> str:
        return self.path.stem.split("_")[0]


@dataclass
class Result:
    """Scores of some files by one reader. `cpu` has the milliseconds of each page: the mean of its file."""

    score: Score = field(default_factory=Score)
    structures: list[tuple[float | None, ...]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, text: str, file: File, *, cpu: float) -> None:
        self.score += score(text, file.truth)
        self.structures.append(tuple(measure(text, file.truth) for measure in MEASURES))
        self.cpu += [1000 * cpu / file.pages] * file.pages

    def values(self) -> dict[str, float | None]:
        """Return the value of each of `COLUMNS`; None if no file has the element."""
        recall = self.score.common_bare / max(1, self.score.truth_bare)
        structure = [self._structure(number) for number in range(len(MEASURES))]
        cpu = [statistics.mean(self.cpu), statistics.median(self.cpu)]
        return dict(zip(COLUMNS, [self.score.word_f1, recall, *structure, *cpu], strict=True))

    def _structure(self, number: int) -> float | None:
        """Return the mean of a measure over the files that have its element."""
        found = [value for one in self.structures if (value := one[number]) is not None]
        return statistics.mean(found) if found else None


Results = dict[str, dict[str, Result]]
"""Results by reader, then by group of files."""


def find_files(folder: Path) -> list[File]:
    files = []
    for path in sorted(folder.glob("*.pdf")):
        with pypdfium2.PdfDocument(path) as pdf:
            pages = len(pdf)
        files.append(File(path, path.with_name(path.stem + ".gt.md").read_text(), pages))
    return files


def measure(files: Sequence[File], readers: dict[str, Reader], *, diff: bool) -> Results:
    results: Results = {name: {} for name in readers}
    for file in files:
        print(file.path.name, end="\r", file=sys.stderr)
        for name, reader in readers.items():
            reading = reader(file.path)
            for group in _groups(file):
                results[name].setdefault(group, Result()).add(reading.text, file, cpu=reading.cpu)
            if diff and name == SCANRILL:
                print_differences(file, reading.text)
    return results


def _groups(file: File) -> list[str]:
    printers = [name for name, part in PRINTERS.items() if part in file.path.stem]
    return [*printers, f"layout {file.layout}"]


def print_differences(file: File, text: str) -> None:
    """Print the score, and the lost and the surplus words of a file."""
    found, expected = bare(words(text)), bare(words(file.truth))
    structure = [measure(text, file.truth) for measure in MEASURES]
    scores = " ".join(
        f"{name} {value:.3f}"
        for name, value in zip(("order", "tables", "headings"), structure, strict=True)
        if value is not None
    )
    print(f"{file.path.name}: word F1 {score(text, file.truth).word_f1:.3f} {scores}")
    for name, surplus in (("lost", expected - found), ("surplus", found - expected)):
        if surplus:
            print(f"  {name}, {surplus.total()}: {_shown(surplus)}")


def _shown(counted: Counter[str]) -> str:
    shown = [word if count == 1 else f"{word} ×{count}" for word, count in counted.items()]
    more = f" … and {len(shown) - MAX_WORDS_SHOWN} more" if len(shown) > MAX_WORDS_SHOWN else ""
    return " ".join(shown[:MAX_WORDS_SHOWN]) + more


# ── the report ──


def table(results: Results, groups: Sequence[str]) -> str:
    lines = [f"| files | read by | {' | '.join(COLUMNS)} |", f"|---|---|{'---:|' * len(COLUMNS)}"]
    for group in groups:
        for name, by_group in results.items():
            if result := by_group.get(group):
                lines.append(f"| {group} ({len(result.cpu)} pages) | {name} | {' | '.join(_cells(result))} |")
    return "\n".join(lines)


def _cells(result: Result) -> list[str]:
    texts = []
    for name, value in result.values().items():
        digits = 0 if name in COLUMNS[-2:] else 3
        texts.append("" if value is None else f"{value:.{digits}f}")
    return texts


def before() -> str:
    f1, order, tables, headings = (f"{value:.3f}" for value in BEFORE)
    return f"\n| all | scanrill, before decision 106 | {f1} |  | {order} | {tables} | {headings} |  |  |"


def check_goals(result: Result) -> str:
    values = result.values()
    found = [(name, values[name], f"≥ {goal}") for name, goal in GOALS.items()]
    lines = []
    for name, value, goal in found:
        if value is not None:
            lines.append(f"{name} {value:.3f} (goal {goal}): {_met(value >= GOALS[name])}")
    cpu = statistics.median(result.cpu)
    lines.append(f"CPU {cpu:.0f} ms a page, median (goal ≤ {GOAL_CPU_MS}): {_met(cpu <= GOAL_CPU_MS)}")
    return "\n".join(f"- {line}." for line in lines)


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, default=FILES)
    parser.add_argument("--names", default="*", help="read only files with this pattern, such as '*dollars*'")
    parser.add_argument("--only-scanrill", action="store_true")
    parser.add_argument("--diff", action="store_true", help="list lost and surplus words of each file")
    parser.add_argument("--by-layout", action="store_true", help="add a row for each first part of a name")
    parser.add_argument("--report", action="store_true", help="also measure a long report and the first text")
    parser.add_argument("--report-pages", type=int, default=pdf_report.PAGES)
    parser.add_argument(
        "--write", action="store_true", help="write the tables to README.md; includes --report"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    files = [file for file in find_files(options.files) if file.path.match(options.names)]
    if not files:
        sys.exit(f"No PDF {options.names} is in {options.files}. Set --files DIR.")
    readers = pdf_readers.readers(files[0].path)
    if options.only_scanrill:
        readers = {SCANRILL: readers[SCANRILL]}
    results = measure(files, readers, diff=options.diff)
    groups = list(PRINTERS) + sorted({f"layout {file.layout}" for file in files} if options.by_layout else ())
    parts = [
        f"`.venv/bin/python -m benchmarks.pdf --write`, {len(files)} files, one thread.",
        table(results, groups) + (before() if options.files == FILES and options.names == "*" else ""),
        *(f"Not measured: {hint}" for hint in pdf_readers.missing()),
        check_goals(results[SCANRILL]["all"]),
    ]
    if options.report or options.write:
        parts.append(pdf_report.report(options.report_pages))
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        write("pdf", text)


if __name__ == "__main__":
    main()
