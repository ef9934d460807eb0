"""Parsing of `Range` headers."""

from __future__ import annotations

import pytest

from backend_main.core.http.downloads import MalformedRange, parse_range
from backend_main.core.http.http_errors import RangeNotSatisfiable

SIZE = 100


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-", 10, 100),
        (" bytes=10-19 ", 10, 20),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
        ("bytes=90-1000", 90, 100),
    ],
)
def test_parse_range_returns_start_and_end(header: str, start: int, end: int) -> None:
    assert parse_range(header, SIZE) == (start, end)


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes=9-3", f"bytes={9**20}-"]
)
def test_parse_range_malformed_header(header: str) -> None:
    with pytest.raises(MalformedRange):
        parse_range(header, SIZE)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_parse_range_beyond_the_file(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, SIZE)
