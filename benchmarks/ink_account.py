"""Benchmark of the ink account: its cost, and how many pages get a warning about unread ink.

It reads the pages of `accuracy.py` with one thread, and prints for each set the CPU seconds of a page, the
shares of them that the account and the second reading take, and the number of pages with a warning. With
`--places`, it prints each warning with its places, so that a person can judge which are false.

    .venv/bin/python -m benchmarks.ink_account --write
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from backend_main import reading
from backend_main.reading import Options, PageDone, PageWarning, WarningCode, page_reader, unread_ink
from backend_main.reading.engines import load_engine
from benchmarks.accuracy import PAGES, SETS, load_pages
from benchmarks.readme_tables import write

THREADS = 1
CODES = (WarningCode.UNREAD_INK, WarningCode.LOW_CONFIDENCE, WarningCode.NO_TEXT, WarningCode.BLANK_PAGE)


class Stopwatch:
    """Function that adds up the CPU seconds of its calls."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.seconds = 0.0

    def __call__(self, *args: Any) -> Any:
        began = time.process_time()
        try:
            return self._function(*args)
        finally:
            self.seconds += time.process_time() - began


@dataclass
class Result:
    """Times and warnings of one set."""

    pages: int = 0
    seconds: float = 0.0
    account_seconds: float = 0.0
    reread_seconds: float = 0.0
    warnings: list[tuple[str, PageWarning]] = field(default_factory=list)

    def pages_with_warnings(self) -> int:
        return len({name for name, _ in self.warnings})


def measure(folder: Path, name: str, engine: reading.Engine) -> Result:
    result = Result()
    for page in load_pages(folder, name):
        account = Stopwatch(unread_ink.InkAccount)
        whole = Stopwatch(page_reader.read_unread_ink)
        began = time.process_time()
        with (
            mock.patch.object(unread_ink, "InkAccount", account),
            mock.patch.object(page_reader, "read_unread_ink", whole),
        ):
            events = list(reading.read(page.path, Options(threads=THREADS), engine))
        result.seconds += time.process_time() - began
        result.pages += 1
        result.account_seconds += account.seconds
        result.reread_seconds += whole.seconds - account.seconds
        done = [event for event in events if isinstance(event, PageDone)]
        found = [one for event in done for one in event.warnings if one.code in CODES]
        result.warnings += [(page.path.name, one) for one in found]
    return result


def table(results: dict[str, Result]) -> str:
    rows = [
        "| set | CPU, s a page | account | reading again | pages with a warning |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, result in [*results.items(), ("all", _sum(list(results.values())))]:
        seconds = max(result.seconds, 1e-9)
        rows.append(
            f"| {name} ({result.pages}) | {seconds / max(1, result.pages):.2f} "
            f"| {result.account_seconds / seconds:.1%} | {result.reread_seconds / seconds:.1%} "
            f"| {result.pages_with_warnings()} |"
        )
    return "\n".join(rows)


def _sum(results: Sequence[Result]) -> Result:
    return Result(
        sum(one.pages for one in results),
        sum(one.seconds for one in results),
        sum(one.account_seconds for one in results),
        sum(one.reread_seconds for one in results),
        [warning for one in results for warning in one.warnings],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=Path, default=PAGES)
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--places", action="store_true", help="print each warning with its places")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    engine = load_engine("rapid", THREADS)
    results = {name: measure(options.pages, name, engine) for name in options.sets}
    if options.places:
        for name, warning in _sum(list(results.values())).warnings:
            places = [tuple(round(value) for value in (*box[0], *box[2])) for box in warning.boxes]
            print(f"{name}: {warning.code} {warning.share} {places}")
    head = "`.venv/bin/python -m benchmarks.ink_account --write`, one thread."
    text = f"{head}\n\n{table(results)}"
    print(text)
    if options.write:
        write("ink_account", text)


if __name__ == "__main__":
    main()
