"""Blocks of stored pages, of this version and of earlier ones, and the JSON Schema of a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from backend_main import reading
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.models import Page
from backend_main.core.protocol import messages, serializers
from backend_main.core.protocol.page_schema import page_schema
from backend_main.core.uploads import page_content, usage
from backend_main.reading import Line, Options, PageDone
from backend_main.reading.output.formatted_page import FormattedPage
from backend_main.reading.page_structure.structured_page import structured_page
from backend_main.reading.types import level_box
from tests.support.database import new_upload, new_user
from tests.support.drawn_pdfs import drawn_page, text_at

MARKDOWN = """\
# Costs

Some *text* over
two lines

- [x] Rope
- Iron

<table>
<tr><th colspan="2">Head</th></tr>
<tr><td>A</td><td>1</td></tr>
</table>

![Figure 1. A map]()

$$\\frac{a}{b}$$
"""
TEXTS = ("Costs", "Some text over", "two lines", "Rope", "Iron", "Head", "A", "1", "Figure 1. A map", "a/b")


def page_of_markdown() -> PageDone:
    """Return a page with blocks of many types, and page furniture that its Markdown leaves out."""
    box = level_box(1.0, 2.0, 30.0, 40.5)
    lines = [Line(1, text, text, box, 0.5) for text in TEXTS]
    lines.append(Line(1, "12", "", box, role="page_number"))
    blocks, located = structured_page(FormattedPage(MARKDOWN, ""), lines, 100)
    return PageDone(1, 1, 80, 100, MARKDOWN, "", located, [], blocks)


def page_of_text_layer(tmp_path: Path) -> PageDone:
    content = text_at(60, 760, "Annual report", size=24) + text_at(60, 700, *["Some text of the page."] * 4)
    (tmp_path / "a.pdf").write_bytes(drawn_page(content))
    done = [event for event in reading.read(tmp_path / "a.pdf", Options()) if isinstance(event, PageDone)]
    return done[0]


def saved(done: PageDone) -> Page:
    new_upload(new_user())
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    results.save_page(claim, done)
    return Page.objects.get()


def of_earlier_version(page: Page) -> Page:
    """Return a page as a version without blocks stored it, whose lines had no places."""
    page.blocks = page.words = None
    page.lines = [
        {key: value for key, value in line.items() if key not in ("span", "role")} for line in page.lines
    ]
    page.save()
    return Page.objects.get()


def as_json(page: Page, *, with_words: bool = False) -> Any:
    return msgspec.json.decode(messages.encode(serializers.page(page, with_words=with_words)))


@pytest.mark.django_db
def test_page_blocks_of_a_saved_page_are_those_that_were_read() -> None:
    done = page_of_markdown()
    page = saved(done)
    assert page_content.page_structure(page) == (done.lines, done.blocks)
    assert page_content.page_blocks(page) == done.blocks
    assert [line.span for line in page_content.page_lines(page)] == [line.span for line in done.lines]


@pytest.mark.django_db
def test_stored_blocks_are_small_and_count_as_bytes_of_the_page() -> None:
    page = saved(page_of_markdown())
    blocks = msgspec.json.encode(page.blocks)
    assert len(blocks) < len(msgspec.json.encode(page_content.page_blocks(page))) / 2
    without = Page(markdown=page.markdown, text=page.text, lines=page.lines, words=page.words)
    assert usage.page_bytes(page) - usage.page_bytes(without) == len(blocks)


@pytest.mark.django_db
def test_page_of_an_earlier_version_has_the_blocks_of_its_markdown() -> None:
    done = page_of_markdown()
    page = of_earlier_version(saved(done))
    types = [block.type for block in page_content.page_blocks(page)]
    assert types == [block.type for block in done.blocks if block.type != "page_number"]
    assert [line.span for line in page_content.page_lines(page)] == [line.span for line in done.lines]


@pytest.mark.django_db
def test_page_json_fulfils_its_schema(tmp_path: Path) -> None:
    schema = msgspec.json.decode(page_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    page = saved(page_of_markdown())
    shown = as_json(page)
    assert list(validator.iter_errors(shown)) == []
    assert list(validator.iter_errors(as_json(page, with_words=True))) == []
    assert list(validator.iter_errors(as_json(of_earlier_version(page)))) == []
    assert shown["schema_version"] == 1
    of_library = msgspec.to_builtins(page_of_text_layer(tmp_path)) | {"schema_version": 1}
    assert of_library["blocks"][0]["type"] == "heading"
    assert list(validator.iter_errors(msgspec.json.decode(msgspec.json.encode(of_library)))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("schema_version", 2), ("blocks", [{"type": "poem"}]), ("lines", None), ("number", "1")],
)
@pytest.mark.django_db
def test_page_schema_refuses_a_wrong_field(field: str, value: object) -> None:
    validator = jsonschema.Draft202012Validator(msgspec.json.decode(page_schema()))
    assert list(validator.iter_errors(as_json(saved(page_of_markdown())) | {field: value})) != []
