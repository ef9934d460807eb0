"""Benchmark of words: where their boxes are, and what they cost in time and in stored bytes.

1. Pages drawn with known places of the words (`tests/support/word_pages.py`): the share of the words that are
   read whose box overlaps the drawn ink by 0.7 or more (intersection over union).
2. The pages of `accuracy.py` with one thread: the CPU time that words take, and the bytes of a stored page
   without and with them. Blocks and spans count with the words, because both came after lines.

    .venv/bin/python -m benchmarks.words --write
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import msgspec
import numpy as np

from backend_main import reading
from backend_main.core.uploads.packed_words import pack_words
from backend_main.reading import Engine, Options, PageDone, PageImage, load_engine
from backend_main.reading.engines import lines_after_restart
from backend_main.reading.engines.rapid import recognizer
from backend_main.reading.engines.rapid.line_reading import LineReading
from backend_main.reading.page_structure.structured_page import bare_blocks
from benchmarks.accuracy import PAGES, SETS, load_pages
from benchmarks.readme_tables import write
from tests.support.word_pages import draw_words, found_share

THREADS = 1
MIN_OVERLAP = 0.7
SIZES = (16, 22, 32, 44)
LANGUAGES = {"rapid": ("en", "de", "zh"), "tesseract": ("en", "de", "ru", "ko", "ar", "he")}
TURNS = {"level": (0.0,), "slanted by 2 to 5 degrees": (-5.0, -2.0, 3.5)}
# What makes the words of a line of the engine `rapid`: for a box, and for its place on the page.
PARTS = ((recognizer, "words_of_line"), (LineReading, "words_in"))


class Found(NamedTuple):
    """Words whose box is found, those that are read, and those that are drawn."""

    found: int = 0
    read: int = 0
    drawn: int = 0


class Cost(NamedTuple):
    """Times and stored bytes of a set."""

    pages: int
    seconds: float
    word_seconds: float
    bytes_before: int
    word_bytes: int
    block_bytes: int


def found_words(name: str, code: str, degrees: Sequence[float]) -> Found:
    engine = load_engine(name, THREADS)
    engine.configure(Options(engine=name, languages=(code,)))
    total = Found()
    for number, size in enumerate(SIZES):
        for turn in degrees:
            drawn = draw_words(code, size, font_number=number, degrees=turn)
            if drawn is None:
                continue
            lines = lines_after_restart(engine.read_page(_page(drawn.image)))
            boxes = [(word.text, word.box) for line in lines for word in line.words if word.box]
            found, read = found_share(drawn.words, boxes, MIN_OVERLAP)
            total = Found(total.found + found, total.read + read, total.drawn + len(drawn.words))
    engine.close()
    return total


def _page(image: Any) -> PageImage:
    pixels = np.ascontiguousarray(np.array(image.convert("RGB"))[:, :, ::-1])
    height, width = pixels.shape[:2]
    return PageImage(1, pixels, width, height, {})


def measure(folder: Path, name: str, engine: Engine) -> Cost:
    seconds, word_seconds = 0.0, [0.0]
    done: list[PageDone] = []
    pages = load_pages(folder, name)
    for page in pages:
        began = time.process_time()
        with ExitStack() as stack:
            for owner, part in PARTS:
                timed = _timed(getattr(owner, part), word_seconds)
                stack.enter_context(mock.patch.object(owner, part, timed))
            events = list(reading.read(page.path, Options(threads=THREADS), engine))
        seconds += time.process_time() - began
        done += [event for event in events if isinstance(event, PageDone)]
    stored = [stored_bytes(page) for page in done]
    before, words, blocks = (sum(column) for column in zip(*stored, strict=True))
    return Cost(len(pages), seconds, word_seconds[0], before, words, blocks)


def _timed(function: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
    """Return a function that adds the CPU seconds of its calls."""

    def timed(*args: Any) -> Any:
        began = time.process_time()
        try:
            return function(*args)
        finally:
            seconds[0] += time.process_time() - began

    return timed


def stored_bytes(page: PageDone) -> tuple[int, int, int]:
    """Return the bytes of a page in the database without words and blocks, those of words, and of blocks."""
    lines: list[dict[str, Any]] = msgspec.to_builtins(page.lines)
    spans = sum(len(json.dumps({"span": line.pop("span")})) for line in lines)
    for line in lines:
        del line["words"]
    texts = len(page.markdown.encode()) + len(page.text.encode())
    return texts + len(json.dumps(lines)), len(pack_words(page.lines)), spans + _block_bytes(page)


def _block_bytes(page: PageDone) -> int:
    return len(json.dumps(msgspec.to_builtins(bare_blocks(page))))


def table_of_boxes() -> Iterator[str]:
    yield "| engine | pages | words drawn | read | boxes found |"
    yield "|---|---|---:|---:|---:|"
    for engine, codes in LANGUAGES.items():
        for turn, degrees in TURNS.items():
            found = [found_words(engine, code, degrees) for code in codes]
            drawn, read = sum(one.drawn for one in found), sum(one.read for one in found)
            share = sum(one.found for one in found) / max(1, read)
            yield f"| {engine} | {', '.join(codes)}; {turn} | {drawn} | {read} | {share:.1%} |"


def table_of_costs(folder: Path, sets: Sequence[str]) -> Iterator[str]:
    engine = load_engine("rapid", THREADS)
    yield "| set | CPU, s a page | words | a stored page, bytes | with words | with words and blocks |"
    yield "|---|---:|---:|---:|---:|---:|"
    costs = {name: measure(folder, name, engine) for name in sets}
    total = Cost(*(sum(column) for column in zip(*costs.values(), strict=True)))
    for name, cost in [*costs.items(), ("all", total)]:
        with_words = 1 + cost.word_bytes / cost.bytes_before
        with_all = with_words + cost.block_bytes / cost.bytes_before
        yield (
            f"| {name} ({cost.pages}) | {cost.seconds / cost.pages:.2f} "
            f"| {cost.word_seconds / cost.seconds:.1%} "
            f"| {cost.bytes_before / cost.pages:,.0f} | {with_words:.2f} × | {with_all:.2f} × |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=Path, default=PAGES)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    chosen = "" if options.sets == list(SETS) else f" --sets {' '.join(options.sets)}"
    head = f"`.venv/bin/python -m benchmarks.words{chosen} --write`, one thread."
    text = "\n".join([head, "", *table_of_boxes(), "", *table_of_costs(options.pages, options.sets)])
    print(text)
    if options.write:
        write("words", text)


if __name__ == "__main__":
    main()
