"""M11 - no text makes the page's Markdown parser, or the server's removal of markup, take quadratic time."""

from __future__ import annotations

import json
import multiprocessing
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend_main.reading.engines.vision.response import sanitize_markdown
from backend_main.reading.output.escaping import MAX_NESTED_LISTS, escape
from backend_main.reading.output.plain_text import to_plain_text
from tests.support.node_program import bundle_for_node, run_node

PARSE = """
import { readFileSync } from "node:fs";
import { parseMarkdown, sourceText } from "./module.mjs";
const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => sourceText(parseMarkdown(text)))));
"""
SHAPES = [
    *("1. ", "1) ", "- ", "* ", "+ ", "> ", "> - ", "1. > ", ">", "1. 1.\t"),
    *("[", "![", "[[", "](", "[a](", "[a]: b\n", "***", "**a*", "*a ", "_a ", "~~a ", "~"),
    *("`", "`a", "``a ", "```\n", "|", "|a", "|a|\n|-|\n", "<", "<a ", "<!--", "<b>", "<table>\n", "<sup>"),
    *("&", "&amp;", "\\", "\\\n", "$", "$a ", "$$a\n", "=\n", "a\n-\n", "a\n\n", "- a\n    ", "1. a\n", "\t"),
]
LINE_BYTES = 50_000
BLOCK_BYTES = 9_900
"""Longest block that the page parses."""


def repeated(shape: str, length: int) -> str:
    return shape * (length // len(shape)) + "end"


def test_m11_page_parses_50_kb_of_each_shape(tmp_path: Path) -> None:
    """A linear parser takes 10 s for all of them; one list of the first shape took 54 s."""
    bundle_for_node("text/parsing.ts", tmp_path)
    texts = [repeated(shape, LINE_BYTES) for shape in SHAPES]
    shown = json.loads(run_node(PARSE, tmp_path, cpu_seconds=60, stdin=texts))
    assert all("end" in text or shape.startswith("[a]") for shape, text in zip(SHAPES, shown, strict=True))


def test_m11_page_parses_the_longest_block_of_each_shape(tmp_path: Path) -> None:
    bundle_for_node("text/parsing.ts", tmp_path)
    texts = [repeated(shape, BLOCK_BYTES) for shape in SHAPES]
    run_node(PARSE, tmp_path, cpu_seconds=60, stdin=texts)


def test_m11_page_shows_what_it_does_not_parse(tmp_path: Path) -> None:
    bundle_for_node("text/parsing.ts", tmp_path)
    deep, long = "- " * 12 + "deep", "*long* " * 4000
    texts = ["- " * 10 + "*ten*", deep, f"*one*\n\n{long}\n\n*two*"]
    ten, nested, blocks = json.loads(run_node(PARSE, tmp_path, cpu_seconds=60, stdin=texts))
    assert (ten, nested) == ("ten", "- - deep")
    assert blocks == f"one{long.strip()}two"


@pytest.mark.parametrize("marker", ["1. ", "1) ", "- ", "+ ", "12. - "])
def test_m11_recognized_lines_begin_few_nested_lists(marker: str) -> None:
    line = (marker * 20)[: len(marker) * 20].strip() + " end"
    written = escape(line)
    markers = written.split("\\")[0].split()
    assert len(markers) == MAX_NESTED_LISTS + (not written.split("\\")[0].endswith(" "))
    assert to_plain_text(written) == line


@given(st.lists(st.sampled_from(["1. ", "-  ", "+ ", "7) ", "# ", "> ", "a "]), max_size=12))
def test_m11_plain_text_of_escaped_markers_is_the_line(parts: list[str]) -> None:
    line = " ".join("".join(parts).split())
    assert to_plain_text(escape(line)) == line


# --- the server --------------------------------------------------------------------------------------------

LINEAR_SECONDS = 60
"""Processor time for all shapes: the functions take some seconds, one quadratic shape took minutes."""


def _run_all(function: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LINEAR_SECONDS, LINEAR_SECONDS))
    functions = {
        "plain text": to_plain_text,
        "escape": escape,
        "sanitize": sanitize_markdown,
    }
    for shape in SHAPES:
        functions[function](repeated(shape, 20_000))


@pytest.mark.parametrize("function", ["plain text", "escape", "sanitize"])
def test_m11_time_of_the_server_is_linear_for_each_shape(function: str) -> None:
    process = multiprocessing.get_context("fork").Process(target=_run_all, args=(function,))
    process.start()
    process.join()
    assert process.exitcode == 0
