"""Benchmark of test files of public projects: right pages, and wrong ones with and without a warning.

The files are the hard cases of other programs: PDFs and pictures that are broken, encrypted, rare or only
odd. scanrill reads the first pages of each, and its words are compared with those of pdftotext that have ink
on the page, or with those that Tesseract is sure of. Pictures are compared with what ImageMagick decodes.
A disagreement makes a page a suspect; `wild_verdicts.json` has what a person saw there (`wild_judging.py`).

    .venv/bin/python -m benchmarks.wild fetch DIR
    .venv/bin/python -m benchmarks.wild read DIR --write
    .venv/bin/python -m benchmarks.wild report DIR --suspects

`fetch --git MIRRORS` takes the files from bare git repositories, `MIRRORS/owner+name/repo`. `read` stores the
pages that it read in DIR, and `report` judges them once more.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue

from backend_main.reading import EngineProcess, Options, PageDone, ReadingError, UnreadableFile
from benchmarks import wild_evidence
from benchmarks.readme_tables import write
from benchmarks.wild_evidence import Grey
from benchmarks.wild_files import WildFile, fetch, listed_files
from benchmarks.wild_judging import (
    Outcome,
    PageFacts,
    Verdict,
    disagreement,
    listed_verdicts,
    needs_tesseract,
    outcome,
)

PAGES = 2
"""Pages read of each file."""
PAGE_SECONDS = 120.0
PREVIEW_PIXELS = 400
PROCESSES = 2
GOAL_SILENT = 0.005
SHOWN_OUTCOMES = tuple(Outcome)


@dataclass(frozen=True)
class FileRead:
    """Result of one file: its pages, or the error that ended the read."""

    name: str
    kind: str
    pages: dict[int, PageFacts] = field(default_factory=dict)
    error: str = ""
    is_refused: bool = False


# ── read ──


def read_files(files: Iterable[WildFile], folder: Path, minutes: float) -> int:
    """Read files with two engine processes, and store each result. Return the number of files read."""
    deadline = time.monotonic() + 60 * minutes
    engines = SimpleQueue[EngineProcess]()
    for _ in range(PROCESSES):
        engines.put(EngineProcess(threads=1))

    def read(file: WildFile) -> bool:
        if time.monotonic() > deadline or not file.local.exists():
            return False
        engine = engines.get()
        try:
            _store(folder, file, read_file(file, engine))
        finally:
            engines.put(engine)
        return True

    try:
        with ThreadPoolExecutor(PROCESSES) as pool:
            return sum(pool.map(read, files))
    finally:
        while not engines.empty():
            engines.get().stop()


def read_file(file: WildFile, engine: EngineProcess) -> FileRead:
    is_pdf = file.local.read_bytes()[:1024].find(b"%PDF") >= 0
    pages = dict[int, PageFacts]()
    options = Options(last_page=PAGES, furniture="keep", page_seconds=PAGE_SECONDS)
    error, is_refused = "", False
    try:
        for event in engine.read(file.local, options):
            if isinstance(event, PageDone):
                text = f"{event.markdown}\n{event.text}"
                pages[event.number] = PageFacts(text, [str(warning) for warning in event.warnings])
    except ReadingError as problem:
        error, is_refused = str(problem), isinstance(problem, UnreadableFile)
    add = _pdf_facts if is_pdf else _picture_facts
    pages = {number: add(file.local, number, facts, engine) for number, facts in pages.items()}
    return FileRead(file.name, _kind(file.local, pages, is_pdf=is_pdf), pages, error, is_refused)


def _pdf_facts(path: Path, number: int, facts: PageFacts, engine: EngineProcess) -> PageFacts:
    page = wild_evidence.pdf_page(path, number)
    if page is None:
        return facts
    found = PageFacts(facts.text, facts.warnings, page.drawn_words, page.hidden_words, has_ink=page.has_ink)
    return _with_second_opinion(found, page.picture)


def _picture_facts(path: Path, number: int, facts: PageFacts, engine: EngineProcess) -> PageFacts:
    picture = wild_evidence.picture(path, number)
    if picture is None:
        return facts
    similarity = None
    if (own := _preview(path, number, engine)) is not None:
        similarity = wild_evidence.similarity(picture, own)
    found = PageFacts(
        facts.text, facts.warnings, has_ink=wild_evidence.has_ink(picture), similarity=similarity
    )
    return _with_second_opinion(found, picture)


def _with_second_opinion(facts: PageFacts, picture: Grey) -> PageFacts:
    if not needs_tesseract(facts):
        return facts
    fields = vars(facts) | {"seen_words": wild_evidence.tesseract_words(picture)}
    return PageFacts(**fields)


def _preview(path: Path, number: int, engine: EngineProcess) -> Grey | None:
    try:
        return wild_evidence.decoded(engine.render_page(path, number, PREVIEW_PIXELS))
    except ReadingError:
        return None


def _kind(path: Path, pages: dict[int, PageFacts], *, is_pdf: bool) -> str:
    if not is_pdf:
        return f"image, {wild_evidence.picture_format(path)}"
    if wild_evidence.is_encrypted(path):
        return "PDF, encrypted"
    if not pages or all(facts.has_ink is None for facts in pages.values()):
        return "PDF, broken for poppler"
    if any(facts.layer_words for facts in pages.values()):
        return "PDF, with text"
    return "PDF, pictures alone"


# ── results ──


def _store(folder: Path, file: WildFile, read: FileRead) -> None:
    path = _result_path(folder, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(read), ensure_ascii=False))


def _result_path(folder: Path, file: WildFile) -> Path:
    return folder / "results" / f"{file.sha256[:16]}.json"


def _results(folder: Path, files: Iterable[WildFile]) -> Iterator[FileRead]:
    for file in files:
        path = _result_path(folder, file)
        if path.exists():
            entry = json.loads(path.read_text())
            pages = {int(number): PageFacts(**facts) for number, facts in entry.pop("pages").items()}
            yield FileRead(**entry, pages=pages)


# ── report ──


def judged(read: FileRead, verdicts: dict[str, Verdict]) -> Iterator[tuple[str, Outcome]]:
    """Yield the outcome of each page by its name; a file without pages counts as one."""
    if not read.pages:
        verdict = verdicts.get(read.name)
        if not read.is_refused:
            yield read.name, Outcome.FAILED
        else:
            yield read.name, Outcome.REFUSED if verdict is None or verdict.is_right else Outcome.FAILED
    for number, facts in read.pages.items():
        name = f"{read.name}#{number}"
        yield name, outcome(facts, verdicts.get(name))


def table(reads: Iterable[FileRead], verdicts: dict[str, Verdict]) -> str:
    counts = dict[str, Counter[Outcome]]()
    for read in reads:
        counts.setdefault(read.kind, Counter()).update(found for _, found in judged(read, verdicts))
    total = sum(counts.values(), Counter[Outcome]())
    rows = [_row(kind, counts[kind]) for kind in sorted(counts)] + [_row("all", total)]
    head = f"| kind | pages | {' | '.join(SHOWN_OUTCOMES)} |"
    silent = total[Outcome.SILENT] / max(1, total.total())
    is_met = silent <= GOAL_SILENT and not total[Outcome.SUSPECT]
    goal = (
        f"Goal: at most {GOAL_SILENT:.1%} of the pages wrong in silence, and no suspect left. "
        f"{silent:.2%} and {total[Outcome.SUSPECT]}, {'met' if is_met else 'missed'}."
    )
    return "\n".join([head, f"|---|{'---:|' * (len(SHOWN_OUTCOMES) + 1)}", *rows, "", goal])


def _row(kind: str, counts: Counter[Outcome]) -> str:
    cells = [str(counts[one] or "") for one in SHOWN_OUTCOMES]
    return f"| {kind} | {counts.total()} | {' | '.join(cells)} |"


def suspects(reads: Iterable[FileRead], verdicts: dict[str, Verdict], shown: set[Outcome]) -> Iterator[str]:
    """Yield a line for each page with one of the outcomes: what differs."""
    for read in reads:
        for name, found in judged(read, verdicts):
            if found not in shown:
                continue
            facts = read.pages[int(name.rpartition("#")[2])] if read.pages else None
            differs = disagreement(facts) if facts else None
            what = f"{differs.share:.2f} {differs.reason}" if differs else read.error
            warned = f" [{' / '.join(facts.warnings)}]" if facts and facts.warnings else ""
            yield f"{found}: {name} ({read.kind}): {what}{warned}"


def main() -> None:
    options = _arguments()
    files = [file for file in listed_files(options.folder) if options.only in file.name]
    if options.command == "fetch":
        problems = fetch(files, options.git)
        sys.exit("\n".join(problems) or None)
    if options.command == "read":
        _read(files, options)
    verdicts = listed_verdicts()
    reads = list(_results(options.folder, files))
    if options.suspects:
        print("\n".join(suspects(reads, verdicts, {Outcome.SUSPECT, Outcome.SILENT, Outcome.FAILED})))
    if options.all:
        print("\n".join(suspects(reads, verdicts, set(Outcome) - {Outcome.RIGHT})))
    command = "`.venv/bin/python -m benchmarks.wild read DIR --write`"
    text = f"{command}, {len(reads)} files, the first {PAGES} pages of each.\n\n{table(reads, verdicts)}"
    print(text)
    if options.write:
        write("wild", text)


def _read(files: list[WildFile], options: argparse.Namespace) -> None:
    if missing := wild_evidence.missing_programs():
        sys.exit("\n".join(missing))
    if options.new:
        files = [file for file in files if not _result_path(options.folder, file).exists()]
    # In any order, so that a run that reaches its time limit has files of all projects.
    random.Random(1).shuffle(files)
    files = files[: options.sample]
    load, began = os.getloadavg()[0], time.monotonic()
    count = read_files(files, options.folder, options.minutes)
    minutes = (time.monotonic() - began) / 60
    print(f"{count} of {len(files)} files read in {minutes:.1f} minutes; load average {load:.1f} before.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("fetch", "read", "report"))
    parser.add_argument("folder", type=Path, help="directory of the files and of the results")
    parser.add_argument("--git", type=Path, help="directory of bare repositories to fetch from")
    parser.add_argument("--only", default="", help="part of a file's name")
    parser.add_argument("--new", action="store_true", help="read only files without a result")
    parser.add_argument("--sample", type=int, help="maximum number of files to read")
    parser.add_argument("--minutes", type=float, default=10.0, help="time limit of reading")
    parser.add_argument("--suspects", action="store_true", help="list the pages to look at")
    parser.add_argument("--all", action="store_true", help="list all pages that are not right")
    parser.add_argument("--write", action="store_true", help="write the table to README.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
