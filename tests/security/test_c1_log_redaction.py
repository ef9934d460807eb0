"""C1 - a stranger's text cannot make the redaction of the log slow: it runs on the event loop."""

from __future__ import annotations

import logging
import resource
import subprocess
import sys

from backend_main.core.log_filters import MAX_LINE_CHARACTERS, RedactingFormatter, redact

# All shapes take about 3 s together. Work that grows with the square of the length takes hours for one.
CPU_SECONDS = 20
PROGRAM = """
import sys
from backend_main.core.log_filters import redact
for number, shape in enumerate(sys.argv[1:]):
    redact("x" + shape * (1024 * 1024 // len(shape)) + "!")
    print(number, flush=True)
"""
SHAPES = [
    *("eyJ", "/ws/", "/ws//", "?/ws/", "?", "token=", "token", "code=", "&code=", "#code", "bearer "),
    *("bearer", "bearer\t", "eyJa.", "eyJa.b", "eyJ.", ".eyJ", "-", "a.", "ey", " ", "\n", "'", '"'),
    *("%", "é", "\u0130", "/ws/?", "/WS/", "bearer eyJ", "token=eyJa.b.c/ws/?"),
]


def limit_cpu() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def test_c1_redact_megabyte_of_each_pathological_shape_is_linear() -> None:
    """A process of its own redacts them, because the kernel limits the time of a process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *SHAPES],
        capture_output=True,
        text=True,
        preexec_fn=limit_cpu,
        check=False,
    )
    finished = len(done.stdout.split())
    assert done.returncode == 0, f"{done.stderr} at {SHAPES[finished:][:1]}"


def formatted(message: str) -> str:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, message, (), None)
    return RedactingFormatter("%(message)s").format(record)


def test_c1_formatter_long_record_is_cut_between_words() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"
    # The cut is inside a token, wherever it is.
    line = formatted("GET /?" + f"{secret} " * (2 * MAX_LINE_CHARACTERS // len(secret)) + "the end")
    assert len(line) <= MAX_LINE_CHARACTERS
    assert "characters cut]" in line
    assert line.startswith("GET /?[redacted] [redacted]")
    assert line.endswith("[redacted] the end")
    assert not {"hbGci", "zdWIi", "c2lnb"} & {line[i : i + 5] for i in range(len(line))}


def test_c1_formatter_long_word_is_cut_whole() -> None:
    line = formatted("GET /?token=" + "x" * 2 * MAX_LINE_CHARACTERS + " HTTP/1.1 404")
    assert line == f"GET [{2 * MAX_LINE_CHARACTERS + 10} characters cut] HTTP/1.1 404"


def test_c1_redact_jwt_after_a_word_and_with_five_parts() -> None:
    assert redact("%3DeyJhbGci.eyJzdWIi.c2ln") == "%3D[redacted]"
    assert redact("eyJhbGci.a.b.c.d") == "[redacted]"
    assert redact("eyJ is no.token") == "eyJ is no.token"
