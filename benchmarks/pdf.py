"""Benchmark of PDFs that programs made: words, structure, and CPU time.

The files of `pdf_digital` are read as they are, not as images. Chromium or WeasyPrint printed each from known
Markdown. scanrill (`backend_main.reading.read`) reads each with one thread. `pdftotext -layout` of
poppler-utils reads it too, if it is installed.

Word F1 and word recall (`tests/support/scoring.py`) ignore order. Recall is the share of the known words that
are found. Running heads, page numbers, and the address that a browser prints are not in the known Markdown.
Reading order, tables and headings are scored by `tests/support/markdown_structure_score.py`.

    .venv/bin/python -m benchmarks.pdf --write
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2

from backend_main.reading import Options, PageDone, read
from backend_main.reading.documents.document import open_document
from benchmarks.readme_tables import write
from tests.support import markdown_structure_score
from tests.support.scoring import Score, score

FILES = Path(__file__).parents[2] / "shared" / "data" / "pdf_digital"
MEASURES = (
    markdown_structure_score.reading_order,
    markdown_structure_score.tables,
    markdown_structure_score.headings,
)
GROUPS = {"Chromium": "chrome", "WeasyPrint": "weasy", "all": ""}
"""Part of a file's name, by the program that printed it."""
PDFTOTEXT = "pdftotext -layout"
# Word F1, order, tables and headings of scanrill when it read the rectangles of text that pdfium returns.
BEFORE = (0.915, 0.941, 0.543, 0.761)


@dataclass
class Result:
    """Scores of some files by one reader."""

    score: Score = field(default_factory=Score)
    structures: list[tuple[float | None, ...]] = field(default_factory=list)
    cpu: float = 0.0
    pages: int = 0

    def add(self, text: str, truth: str, *, cpu: float, pages: int) -> None:
        self.score += score(text, truth)
        self.structures.append(tuple(measure(text, truth) for measure in MEASURES))
        self.cpu += cpu
        self.pages += pages

    def structure(self, number: int) -> float:
        """Return the mean of a measure over the files that have its element."""
        return statistics.mean(value for one in self.structures if (value := one[number]) is not None)

    def cells(self) -> list[str]:
        recall = self.score.common_bare / self.score.truth_bare
        values = [self.score.word_f1, recall, *(self.structure(number) for number in range(len(MEASURES)))]
        return [*(f"{value:.3f}" for value in values), f"{1000 * self.cpu / self.pages:.0f}"]


def read_with_scanrill(path: Path) -> tuple[str, float]:
    """Return the Markdown of a file, and the CPU time in seconds."""
    start = time.process_time()
    pages = [event.markdown for event in read(path, Options(threads=1)) if isinstance(event, PageDone)]
    return "\n\n".join(pages), time.process_time() - start


def read_with_pdftotext(path: Path) -> tuple[str, float]:
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return run.stdout, end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def text_layer_milliseconds(paths: list[Path]) -> list[float]:
    """Return the CPU time of the text layer of each page."""
    found = []
    for path in paths:
        with open_document(path, Options()) as document:
            for number in range(1, document.page_count + 1):
                start = time.process_time()
                document.text_layer(number)
                found.append(1000 * (time.process_time() - start))
    return found


def measure(paths: list[Path]) -> dict[str, dict[str, Result]]:
    """Return results by reader, then by group of files."""
    readers: dict[str, Callable[[Path], tuple[str, float]]] = {"scanrill": read_with_scanrill}
    if shutil.which("pdftotext"):
        readers[PDFTOTEXT] = read_with_pdftotext
    results: dict[str, dict[str, Result]] = {name: {} for name in readers}
    for path in paths:
        print(path.name, end="\r", file=sys.stderr)
        truth = path.with_name(path.stem + ".gt.md").read_text()
        with pypdfium2.PdfDocument(path) as pdf:
            pages = len(pdf)
        for name, reader in readers.items():
            text, cpu = reader(path)
            for group, part in GROUPS.items():
                if part in path.stem:
                    results[name].setdefault(group, Result()).add(text, truth, cpu=cpu, pages=pages)
    return results


def table(results: dict[str, dict[str, Result]]) -> str:
    columns = ("word F1", "word recall", "order", "tables", "headings", "CPU, ms a page")
    lines = [f"| printed by | read by | {' | '.join(columns)} |", f"|---|---|{'---:|' * len(columns)}"]
    for group in GROUPS:
        for name, by_group in results.items():
            if group in by_group:
                result = by_group[group]
                lines.append(f"| {group} ({result.pages} pages) | {name} | {' | '.join(result.cells())} |")
    f1, *structures = (f"{value:.3f}" for value in BEFORE)
    lines.append(f"| all | scanrill, before decision 106 | {' | '.join([f1, '', *structures, ''])} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, default=FILES)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    paths = sorted(options.files.glob("*.pdf"))
    if not paths:
        sys.exit(f"No PDF is in {options.files}. Set --files DIR.")
    results = measure(paths)
    milliseconds = text_layer_milliseconds(paths)
    text = "\n\n".join(
        [
            f"`.venv/bin/python -m benchmarks.pdf --write`, {len(paths)} files, one thread.",
            table(results),
            f"The text layer alone: {statistics.median(milliseconds):.0f} ms CPU a page at the median, "
            f"{max(milliseconds):.0f} ms at most. The rest is the layout model, and the image that it needs.",
        ]
    )
    print(text)
    if options.write:
        write("pdf", text)


if __name__ == "__main__":
    main()
