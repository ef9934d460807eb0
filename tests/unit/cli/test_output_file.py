"""Output of a command: a file, standard output, or a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from backend_main.cli.output_file import write_output

CONTENT = "á\n\x1b]52;c;AA==\x07\u202eb".encode()


class Output(io.TextIOWrapper):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(("is_terminal", "expected"), [(True, "á\n]52;c;AA==b".encode()), (False, CONTENT)])
def test_write_output_to_a_terminal_has_no_control_characters(
    is_terminal: bool, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Output(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", output)
    write_output([CONTENT[:1], CONTENT[1:]], None, is_text=True)
    assert output.buffer.getvalue() == expected  # type: ignore[attr-defined]
