"""The request for an export."""

from __future__ import annotations

import pytest

from backend_main.core.errors import RequestError
from backend_main.core.exports.document import ExportOptions
from backend_main.core.exports.formats import FORMATS, format_of_name, parse_request


def test_parse_request_without_parameters_is_markdown_of_all_pages() -> None:
    request = parse_request({})
    assert (request.format, request.options, str(request.pages)) == (FORMATS["md"], ExportOptions(), "")


def test_parse_request_with_every_parameter() -> None:
    parameters = {"format": "csv", "pages": "2-3", "furniture": "keep", "images": "link"}
    request = parse_request(parameters | {"page_breaks": "true", "table": "4"})
    assert request.options == ExportOptions("keep", "link", has_page_breaks=True, table=4)
    assert request.format.extension == ".csv"
    assert str(request.pages) == "2-3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "pdf/a"),
        ("format", ""),
        ("pages", "0"),
        ("pages", "b"),
        ("furniture", "KEEP"),
        ("images", "yes"),
        ("page_breaks", "1"),
        ("table", "0"),
        ("table", "-1"),
        ("table", "\u0661"),
        ("table", "9" * 5000),
        ("colour", "red"),
    ],
)
def test_parse_request_error_is_on_the_parameter(name: str, value: str) -> None:
    with pytest.raises(RequestError) as raised:
        parse_request({"format": "csv"} | {name: value})
    assert list(raised.value.fields) == [name]


def test_parse_request_table_of_another_format_is_an_error() -> None:
    with pytest.raises(RequestError) as raised:
        parse_request({"format": "xlsx", "table": "1"})
    assert list(raised.value.fields) == ["table"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.DOCX", "docx"),
        ("a.b.md", "md"),
        ("a.htm", "html"),
        ("a.xml", "alto"),
        ("a.png", None),
        ("a", None),
    ],
)
def test_format_of_name_is_by_the_extension(name: str, expected: str | None) -> None:
    assert format_of_name(name) == expected
