"""Random input for parsers of strangers' bytes: no crash, no unexpected exception, no input over a second.

    python -m tests.security.fuzz                          # 20,000 inputs for each parser; some minutes
    python -m tests.security.fuzz --examples 1000 restore  # one parser

An input is a seed of `targets.py` with random changes: bits, cuts, copies and pieces that matter to parsers.
The number of an input alone decides its changes, so a finding can be run again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

MAX_SECONDS = 1.0
"""Processor time of one input."""
MAX_CHANGES = 8
MAX_COPIES = 200
PIECES = (
    *(b"\0", b"\xff", b"\xff" * 8, b"\r\n", b"\n", b" ", b'"', b"\\", b"[", b"]", b"{", b"}", b"<", b">"),
    *(b"1. ", b"- ", b"*a ", b"`", b"|", b"$$", b"<table>\n", b"--", b"endobj", b"\x1b[", b"\xe2\x80\xae"),
)


class Target(NamedTuple):
    """A parser: `run` returns, or raises one of `expected`."""

    run: Callable[[bytes], object]
    seeds: Sequence[bytes]
    expected: tuple[type[Exception], ...] = ()


class Finding(Exception):
    """An input that a parser does not handle."""


def fuzz(target: Target, examples: int, *, first: int = 0) -> None:
    """Run inputs `first` to `first + examples - 1`. Raises Finding."""
    for number in range(first, first + examples):
        data = changed(target.seeds[number % len(target.seeds)], random.Random(number))
        start = time.thread_time()
        try:
            target.run(data)
        except target.expected:
            pass
        except Exception as error:
            raise Finding(f"Input {number}: {error!r}. Data: {data[:200]!r}") from error
        if (seconds := time.thread_time() - start) > MAX_SECONDS:
            raise Finding(f"Input {number} took {seconds:.1f} s. Data: {data[:200]!r}")


def changed(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with some random changes."""
    result = bytearray(data)
    for _ in range(chance.randint(0, MAX_CHANGES)):
        place, end = sorted(chance.randint(0, len(result)) for _ in range(2))
        match chance.randint(0, 4):
            case 0 if place < len(result):
                result[place] ^= 1 << chance.randint(0, 7)
            case 1:
                result[place:place] = chance.choice(PIECES) * chance.choice([1, 1, 2, MAX_COPIES])
            case 2:
                del result[place : min(end, place + 40)]
            case 3:
                result[place:place] = result[place : min(end, place + 200)]
            case _:
                result[place : place + 4] = chance.randbytes(4)
    return bytes(result)
