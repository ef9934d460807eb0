"""L9 - an answer of a model takes the parsers of vision engines quadratic time."""

from __future__ import annotations

import multiprocessing
import resource

import pytest

from backend_main.reading.engines.vision.html_tables import from_html
from backend_main.reading.engines.vision.response import DocTagsResponse, MarkdownResponse, ResponseParser

SHAPES = [
    "<a ",
    "<a/",
    "<a a=",
    "<td ",
    "<td>",
    "<tr>",
    "<!--",
    "<|ref|>",
    "<think>",
    "<otsl>",
    "<fcel>",
    "[",
    "*a ",
]
ANSWER_CHARACTERS = 50_000
"""More than a page has; the answers of an endpoint have a limit of tokens."""
CPU_SECONDS = 20
"""For all shapes: they take some 5 s. One shape took 14 s, and a page in it the whole time of a page."""


def _parse_all(parser: type[ResponseParser]) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for shape in SHAPES:
        response = parser()
        response.feed("<table>" + shape * (ANSWER_CHARACTERS // len(shape)))
        response.markdown()


@pytest.mark.parametrize("parser", [MarkdownResponse, DocTagsResponse])
def test_l9_parsers_of_answers_take_little_time_for_each_shape(parser: type[ResponseParser]) -> None:
    process = multiprocessing.get_context("fork").Process(target=_parse_all, args=(parser,))
    process.start()
    process.join()
    assert process.exitcode == 0


def test_l9_tag_that_does_not_end_is_text_of_its_cell() -> None:
    table = "<table><tr><td>a <b <i>c</i></td><td>1 < 2</td><!-- <td> --></tr><tr><td>d</td><td"
    assert from_html(table) == [["a <b c", "1 < 2"], ["d"]]
