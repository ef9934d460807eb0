"""Benchmark of searchable PDFs: words found at their places, size, and time, beside OCRmyPDF.

Pages are drawn, so the place of each word's ink is known. Three programs make a PDF of each page:
`scanrill read -o` with its default engine and with Tesseract, and OCRmyPDF, which uses Tesseract. pdfium then
reads the PDF. A word is found if it has the right letters, and its rectangle overlaps that of the ink:
intersection by union of 0.7 or more. The next column has those from 0.5 on, since a rectangle as high as the
line covers the ink of a word without ascenders less. Size is that of the PDF by that of the picture. Time is
that of the whole program, with its start and its models. qpdf checks each PDF.

OCRmyPDF runs with its defaults but for `--output-type pdf`, which does not need Ghostscript. It is not a
dependency of scanrill. Install it into an environment of its own, and name its program.

    .venv/bin/python -m benchmarks.searchable_pdf --ocrmypdf PROGRAM --write
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks.readme_tables import write
from tests.support.searchable_pdfs import overlap, problems, rectangle_around, words_of_page
from tests.support.word_pages import WordPage, draw_words

DPI = 150
MIN_OVERLAP, ROUGH_OVERLAP = 0.7, 0.5
COMMAND = "`.venv/bin/python -m benchmarks.searchable_pdf --ocrmypdf PROGRAM`"
TESSERACT_LANGUAGES = {
    "en": "eng",
    "de": "deu",
    "ru": "rus",
    "ar": "ara",
    "he": "heb",
    "ko": "kor",
    "zh": "chi_sim",
}
RAPID_LANGUAGES = ("en", "de", "zh")
"""Languages that the default engine reads; `scanrill` selects Tesseract for the others."""
SCANRILL, SCANRILL_TESSERACT, OCRMYPDF = "scanrill", "scanrill with Tesseract", "OCRmyPDF"


@dataclass(frozen=True)
class Kind:
    """Kind of a page: its language, and how it is drawn and stored."""

    name: str
    code: str
    extension: str
    size: int = 32
    degrees: float = 0.0
    pages: int = 1


KINDS = (
    Kind("English, PNG", "en", "png"),
    Kind("English, small print, JPEG", "en", "jpg", size=20),
    Kind("English, turned by 2°, JPEG", "en", "jpg", degrees=2),
    Kind("German, two pages of a TIFF (Group 4)", "de", "tif", size=28, pages=2),
    Kind("Russian, PNG", "ru", "png"),
    Kind("Arabic, PNG", "ar", "png"),
    Kind("Hebrew, PNG", "he", "png"),
    Kind("Korean, PNG", "ko", "png"),
    Kind("Chinese, PNG", "zh", "png"),
)


@dataclass
class Result:
    """Counts of one program on pages."""

    words: int = 0
    found: int = 0
    roughly_found: int = 0
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    bytes: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Add the counts of other pages."""
        self.words += other.words
        self.found += other.found
        self.roughly_found += other.roughly_found
        self.bytes += other.bytes
        for name in ("seconds", "cpu_seconds", "sizes", "problems"):
            getattr(self, name).extend(getattr(other, name))


def draw(kind: Kind) -> list[WordPage]:
    """Return the pages of a kind; none if a font is not installed."""
    drawn = (
        draw_words(kind.code, kind.size, font_number=number, degrees=kind.degrees)
        for number in range(kind.pages)
    )
    return [page for page in drawn if page is not None]


def save(kind: Kind, pages: Sequence[WordPage], folder: Path) -> Path:
    """Store pages as one file."""
    path = folder / f"{kind.name.split(',')[0]}-{kind.size}-{kind.degrees:g}.{kind.extension}"
    images = [page.image for page in pages]
    if kind.extension == "tif":
        bilevel = [image.convert("1", dither=Image.Dither.NONE) for image in images]
        bilevel[0].save(path, save_all=True, append_images=bilevel[1:], compression="group4", dpi=(DPI, DPI))
    else:
        images[0].save(path, dpi=(DPI, DPI))
    return path


def commands(kind: Kind, source: Path, target: Path, ocrmypdf: str | None) -> Iterator[tuple[str, list[str]]]:
    """Yield the programs with their command lines."""
    scanrill = [str(Path(sys.executable).with_name("scanrill")), "read", str(source), "-o", str(target)]
    languages = ["--languages", kind.code]
    if kind.code in RAPID_LANGUAGES:
        yield SCANRILL, scanrill
    if TESSERACT_LANGUAGES[kind.code] not in _installed_languages():
        return
    yield SCANRILL_TESSERACT, [*scanrill, "--engine", "tesseract", *languages]
    if ocrmypdf:
        options = ["--output-type", "pdf", "--jobs", "1", "-q", "-l", TESSERACT_LANGUAGES[kind.code]]
        yield OCRMYPDF, [ocrmypdf, *options, str(source), str(target)]


def measure(command: list[str], source: Path, target: Path, pages: Sequence[WordPage]) -> Result:
    """Run a program, and compare its PDF with the pages."""
    target.unlink(missing_ok=True)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, env=os.environ | {"OMP_THREAD_LIMIT": "1"})
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    pdf = target.read_bytes()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result = Result(
        seconds=[seconds / len(pages)],
        cpu_seconds=[cpu / len(pages)],
        sizes=[len(pdf) / source.stat().st_size],
        bytes=len(pdf),
        problems=problems(pdf),
    )
    for number, page in enumerate(pages, 1):
        boxes = list(words_of_page(pdf, page.image.size, number))
        for text, box in page.words:
            place = rectangle_around(box)
            best = max(
                (overlap(place, other) for other_text, other in boxes if other_text == text), default=0.0
            )
            result.words += 1
            result.found += best >= MIN_OVERLAP
            result.roughly_found += best >= ROUGH_OVERLAP
    return result


def table(results: dict[tuple[str, str], Result]) -> str:
    """Return the results as a table, with the sums of each program over the pages that all have read."""
    shared = [
        kind.name
        for kind in KINDS
        if all((kind.name, name) in results for name in (SCANRILL_TESSERACT, OCRMYPDF))
    ]
    rows = [
        "| page | program | words found | at 0.5 | PDF ÷ picture | seconds a page | CPU | qpdf |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    rows += [_row(kind, name, result) for (kind, name), result in results.items()]
    for name in (SCANRILL_TESSERACT, OCRMYPDF):
        total = Result()
        for kind in shared:
            total.add(results[kind, name])
        if shared:
            rows.append(_row("**pages that both have read**", name, total))
    return "\n".join(rows)


def _row(kind: str, name: str, result: Result) -> str:
    words = max(1, result.words)
    figures = [
        f"{result.found / words:.3f}",
        f"{result.roughly_found / words:.3f}",
        f"{statistics.median(result.sizes):.2f}",
        f"{statistics.median(result.seconds):.1f}",
        f"{statistics.median(result.cpu_seconds):.1f}",
        "; ".join(result.problems) or "no warning",
    ]
    return f"| {kind} | {name} | {' | '.join(figures)} |"


def _installed_languages() -> list[str]:
    return subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=True
    ).stdout.split()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ocrmypdf", help="program to compare with")
    parser.add_argument("--write", action="store_true", help="write the table into README.md")
    arguments = parser.parse_args()
    results: dict[tuple[str, str], Result] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            if not (pages := draw(kind)):
                print(f"{kind.name}: the font is not installed", file=sys.stderr)
                continue
            source, target = save(kind, pages, Path(folder)), Path(folder) / "out.pdf"
            for name, command in commands(kind, source, target, arguments.ocrmypdf):
                results[kind.name, name] = measure(command, source, target, pages)
                print(_row(kind.name, name, results[kind.name, name]), flush=True)
    text = table(results)
    print(text)
    if arguments.write:
        write(
            "searchable_pdf",
            f"{COMMAND}\n\n{text}",
        )


if __name__ == "__main__":
    main()
