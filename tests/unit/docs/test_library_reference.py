"""Tests of the generated page of the Python library."""

from __future__ import annotations

import inspect

import pytest

import scanrill
from docs.generate import library

PAGE = library.page_of_library()


def test_page_describes_exactly_the_public_names() -> None:
    assert library.described_names() == set(scanrill.__all__)


@pytest.mark.parametrize("name", sorted(set(scanrill.__all__) - {library.VERSION}))
def test_every_name_has_a_heading_and_a_text(name: str) -> None:
    section = PAGE.partition(f"### {name} ")[2].partition("\n##")[0]
    assert any(line[:1].isupper() and line.endswith((".", ":")) for line in section.splitlines())


@pytest.mark.parametrize(
    "kind",
    [
        scanrill.Options,
        scanrill.PageStarted,
        scanrill.Line,
        scanrill.PageDone,
        scanrill.LinesRead,
        scanrill.EngineInfo,
        scanrill.Engine,
    ],
)
def test_every_field_has_a_meaning(kind: type) -> None:
    fields = library.fields(kind)
    assert fields
    assert [name for name, _, _, meaning in fields if not meaning] == []


def test_every_public_method_of_an_engine_and_its_process_is_described() -> None:
    for kind in (scanrill.Engine, scanrill.EngineProcess):
        members = [name for name, value in vars(kind).items() if inspect.isroutine(value)]
        for name in members:
            if not name.startswith("_"):
                assert f"#### {kind.__name__}.{name}\n" in PAGE


def test_signature_has_defaults_and_keyword_only_arguments() -> None:
    assert "    options: Options | None = None,\n    *,\n    engine: str | Engine" in PAGE
    assert "load_engine(name: str, threads: int = 0) -> Engine" in PAGE
