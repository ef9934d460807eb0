"""Benchmark of the search: 100,000 pages of one user, on both databases.

Words follow Zipf's law, as in natural text. Queries are taken from random pages, so common words are asked
for as often as they occur. Times are CPU time of the thread and of its PostgreSQL server process, so other
programs on the machine add nothing. A search is `search.hits.search` for the first 20 hits, with their
snippets and boxes. The cost of saving a page is measured at the end, on the full index.

    .venv/bin/python -m benchmarks.search --write
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from benchmarks.database_scaling import DATABASES, set_up
from benchmarks.readme_tables import write

if TYPE_CHECKING:
    from backend_main.core.models import Page, Upload, User
    from backend_main.reading.types import Word

PAGES, PAGES_PER_UPLOAD, QUERIES, SAVES = 100_000, 10, 300, 400
VOCABULARY, WORDS_PER_PAGE, WORDS_PER_LINE = 60_000, 300, 10
CHARACTERS, CHARACTERS_PER_PAGE, CHARACTERS_PER_LINE, CHINESE_SHARE = 3_000, 400, 25, 0.1
SYLLABLES = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "in")]


class CpuClock:
    """CPU time of this thread and of the server process of its connection, in seconds."""

    def __init__(self, database: str) -> None:
        self._server: Path | None = None
        if database == "PostgreSQL":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self._server = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")

    def __call__(self) -> float:
        server = 0 if self._server is None else int(self._server.read_text().split()[0])
        return time.thread_time() + server / 1e9


class Corpus:
    """Pages of random words, the same for each seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        words = itertools.product(SYLLABLES, repeat=3)
        self._words = self._random.sample(["".join(word) for word in words], VOCABULARY)
        self._weights = list(itertools.accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY)))
        self._characters = [chr(0x4E00 + 6 * rank) for rank in range(CHARACTERS)]
        self._character_weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(CHARACTERS)))

    def page(self, *, is_chinese: bool | None = None) -> list[str]:
        """Return the lines of a page."""
        if is_chinese is None:
            is_chinese = self._random.random() < CHINESE_SHARE
        if is_chinese:
            found = self._random.choices(
                self._characters, cum_weights=self._character_weights, k=CHARACTERS_PER_PAGE
            )
            return [
                "".join(found[at : at + CHARACTERS_PER_LINE])
                for at in range(0, len(found), CHARACTERS_PER_LINE)
            ]
        words = self._random.choices(self._words, cum_weights=self._weights, k=WORDS_PER_PAGE)
        return [" ".join(words[at : at + WORDS_PER_LINE]) for at in range(0, len(words), WORDS_PER_LINE)]

    def queries(self) -> dict[str, Callable[[], str]]:
        """Return a maker of queries of each kind."""
        pick = self._random

        def words(count: int) -> list[str]:
            line = pick.choice(self.page(is_chinese=False)).split()
            at = pick.randrange(len(line) - count + 1)
            return line[at : at + count]

        def chinese() -> str:
            line = pick.choice(self.page(is_chinese=True))
            return line[:2]

        return {
            "one word": lambda: words(1)[0],
            "two words": lambda: " ".join(words(2)),
            "phrase of two words": lambda: f'"{" ".join(words(2))}"',
            "prefix of three letters": lambda: words(1)[0][:3] + "*",
            "two Chinese characters": chinese,
            "one Chinese character": lambda: chinese()[0],
            "word that is on no page": lambda: "zz" + words(1)[0],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/README.md")
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--on", choices=DATABASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.on:
        for row in measure_database(arguments.on, arguments.pages):
            print(row, flush=True)
        return
    lines = ["| database | figure | p50 | p99 |", "|---|---|---:|---:|"]
    for name in DATABASES:
        command = [sys.executable, "-m", "benchmarks.search", "--on", name, "--pages", str(arguments.pages)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", file=sys.stderr)
                lines += [line.rstrip()] if line.startswith("|") else []
    table = "\n".join(lines)
    if arguments.write:
        load = f"load average {os.getloadavg()[0]:.1f} after"
        write("search", f"`.venv/bin/python -m benchmarks.search --write`, {load}.\n\n{table}")
    else:
        print(table)


def measure_database(database: str, pages: int) -> Iterator[str]:
    """Yield rows of the table. Django loads its settings once, so each database needs a new process."""
    set_up(database)
    from backend_main.core.models import User
    from backend_main.core.search import hits, index

    owner, corpus = User.objects.create(username="benchmark"), Corpus(1)
    text_bytes = _insert_pages(owner, corpus, pages)
    clock = CpuClock(database)
    started = clock()
    index.index_missing()
    seconds = clock() - started
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    yield f"| {database} | index {pages:,} pages: each, ms | {1000 * seconds / pages:.2f} | |"
    yield f"| {database} | index: bytes for each byte of text | {_index_bytes(database) / text_bytes:.2f} | |"
    for name, query in corpus.queries().items():
        times, found = [], 0
        for _ in range(QUERIES):
            q = query()
            started = clock()
            found += len(hits.search(owner=owner, q=q).hits)
            times.append(1000 * (clock() - started))
        yield f"| {database} | {name}, ms ({found / QUERIES:.0f} hits) | {_percentiles(times)} |"
    for what, is_indexed in (("without", False), ("with", True)):
        times = _save_times(owner, corpus, clock, is_indexed=is_indexed)
        yield f"| {database} | save a page {what} its entry, ms | {_percentiles(times)} |"


def _percentiles(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"{cuts[49]:.1f} | {cuts[98]:.1f}"


def _insert_pages(owner: User, corpus: Corpus, count: int) -> int:
    """Insert pages without entries; return the bytes of their texts."""
    from backend_main.core.models import Page, Upload

    text_bytes = 0
    for start in range(0, count, 1000):
        uploads = [new_upload(owner, start + at) for at in range(0, 1000, PAGES_PER_UPLOAD)]
        Upload.objects.bulk_create(uploads)
        pages = [
            new_page(upload, number, corpus.page())
            for upload in uploads
            for number in range(1, 1 + PAGES_PER_UPLOAD)
        ]
        Page.objects.bulk_create(pages, batch_size=100)
        text_bytes += sum(len(page.text.encode()) for page in pages)
    return text_bytes


def new_upload(owner: User, number: int) -> Upload:
    from backend_main.core.models import Upload

    return Upload(
        owner=owner,
        filename=f"scan {number}.pdf",
        image_path=str(number),
        image_hash=uuid.uuid4().hex,
        content_type="application/pdf",
        bytes=1,
        status="processed",
    )


def new_page(upload: Upload, number: int, lines: list[str]) -> Page:
    from backend_main.core.models import Page
    from backend_main.core.uploads.packed_words import pack_words
    from backend_main.reading.types import Line

    text = "\n".join(lines)
    stored = [_line(number, at, line) for at, line in enumerate(lines)]
    words = pack_words(
        Line(number, line, "", words=tuple(_words(line, 100 + 50 * at))) for at, line in enumerate(lines)
    )
    return Page(
        upload=upload,
        attempt=1,
        number=number,
        width=1240,
        height=1754,
        text=text,
        markdown=text,
        lines=stored,
        words=words,
    )


def _line(page: int, at: int, text: str) -> dict[str, Any]:
    top, bottom = 100 + 50 * at, 140 + 50 * at
    box = [[100, top], [1140, top], [1140, bottom], [100, bottom]]
    return {
        "page": page,
        "text": text,
        "markdown": f"\n{text}",
        "box": box,
        "confidence": 0.98,
        "role": "body",
    }


def _words(line: str, top: int) -> Iterator[Word]:
    """Yield the words of a line; Chinese characters are words of their own."""
    from backend_main.reading.types import Word, level_box

    step = 1040 / len(line)
    for match in re.finditer("[a-z]+|[^a-z ]", line):
        left, right = 100 + match.start() * step, 100 + match.end() * step
        yield Word(match[0], level_box(left, top, right, top + 40), 0.98, match.start())


def _index_bytes(database: str) -> int:
    query = (
        "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'core_search%'"
        if database == "SQLite"
        else "SELECT pg_total_relation_size('core_searchentry')"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def _save_times(owner: User, corpus: Corpus, clock: CpuClock, *, is_indexed: bool) -> list[float]:
    """Return the milliseconds of transactions that save a page each, as a reader saves them."""
    from django.db import transaction

    from backend_main.core.db.settings import relaxed_durability
    from backend_main.core.search import index

    upload = new_upload(owner, -1)
    upload.save()
    times = []
    for number in range(1, SAVES + 1):
        page = new_page(upload, number, corpus.page())
        started = clock()
        with relaxed_durability(), transaction.atomic():
            page.save(force_insert=True)
            if is_indexed:
                index.index_page(page, owner.pk)
        times.append(1000 * (clock() - started))
    return times


if __name__ == "__main__":
    main()
