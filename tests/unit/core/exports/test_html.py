"""HTML: one valid file without scripts. tests/browser/test_exports.py checks its accessibility."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from backend_main.core.exports.document import ExportOptions
from backend_main.reading.types import Block
from tests.support.export_documents import export_document, export_page, exported


def body_of(markdown: str) -> str:
    """Return the elements of a page."""
    document = exported(export_document([export_page(markdown)]), "html").decode()
    section = document.partition("<section")[2].partition(">\n")[2]
    return section.partition("</section>")[0]


def test_html_has_every_kind_of_block() -> None:
    html = exported(export_document(languages=("de",)), "html").decode()
    assert html.startswith('<!DOCTYPE html>\n<html lang="de" dir="ltr">')
    assert "<title>Brief &amp; Co.pdf</title>" in html
    for element in (
        '<h1 dir="auto">A <strong>bold</strong> title &amp; more</h1>',
        'One two *star* a<sup>2</sup> and <span class="formula" title="x^2">x^2</span> at ',
        '<a href="https://example.org/" rel="noreferrer">a site</a>.</p>',
        '<li value="7" dir="auto">seven</li>',
        '<blockquote>\n<p dir="auto">Note by Jane Doe</p>\n</blockquote>',
        '<th scope="col" dir="auto">Name</th>',
        '<th scope="col" colspan="2" dir="auto">Head</th>',
        '<td rowspan="2" dir="auto">left &lt; 5</td>',
        '<p class="formula" title="\\frac{a}{b}">a/b</p>',
        '<figcaption dir="auto">Figure 1: Lake</figcaption>',
        "<code>code(1)</code></pre>",
    ):
        assert element in html


def test_html_lists_nest_inside_their_items() -> None:
    assert body_of("1. one\n2. two\n    - [x] a\n    - b\n3. three\n\n- other") == (
        '<ol>\n<li value="1" dir="auto">one</li>\n<li value="2" dir="auto">two<ul class="checks">\n'
        '<li dir="auto">\u2611 a</li>\n<li dir="auto">b</li>\n</ul>\n</li>\n'
        '<li value="3" dir="auto">three</li>\n'
        '</ol>\n<ul>\n<li dir="auto">other</li>\n</ul>\n'
    )


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>alert(1)</script>",
        "[a](javascript:alert(1))",
        "<img src=x onerror=alert(1)>",
        '![a" onerror="alert(1)](data:text/html,x)',
        "![a](https://elsewhere.example/x.png)",
        "|<svg onload=alert(1)>|\n|-|",
        "<table>\n<tr><td onclick=alert(1)><script>alert(1)</script>x</td></tr>\n</table>",
        '`<b onclick="x">`',
    ],
)
def test_html_runs_and_loads_nothing(markdown: str) -> None:
    parser = etree.HTMLParser()
    tree = etree.fromstring(
        exported(export_document([export_page(markdown)], filename=markdown), "html"), parser
    )
    assert not list(tree.iter("script", "img", "svg", "iframe", "link"))
    attributes = {name for element in tree.iter(etree.Element) for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on")]
    assert not list(tree.iter("a"))


def test_html_pictures_are_inside_the_file() -> None:
    class Parts:
        def figure(self, page: int, box: object) -> bytes:
            return b"\xff\xd8picture"

    box = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
    page = export_page("![Lake & land]()", blocks=[Block("figure", box, (0, 16))])
    html = exported(export_document([page], options=ExportOptions(images="embed"), parts=Parts()), "html")
    (source,) = re.findall(rb'<img src="([^"]+)" alt="Lake &amp; land">', html)
    assert source.startswith(b"data:image/jpeg;base64,")


def test_html_names_the_pages_of_a_document_with_several() -> None:
    html = exported(export_document([export_page("a"), export_page("b", number=2)]), "html").decode()
    assert re.findall(r'<section id="page-(\d)" aria-label="Page \d">', html) == ["1", "2"]
