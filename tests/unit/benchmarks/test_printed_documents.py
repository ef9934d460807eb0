"""Documents of known words: the same blocks as HTML, as Markdown, and as words; and words of Markdown."""

from __future__ import annotations

from tests.support.markdown_words import difference, markdown_words
from tests.support.printed_documents import (
    Cell,
    Code,
    Heading,
    Items,
    Paragraph,
    PrintedDocument,
    Quote,
    Span,
    Table,
)

BLOCKS = (
    Heading("Terms", 2),
    Paragraph(
        [
            Span("A "),
            Span("bold", "bold"),
            Span(" m"),
            Span("2", "sup"),
            Span(" at", href="https://a.example"),
        ]
    ),
    Items(["one", ("two", Items(["inner"], ordered=True))]),
    Table([["Item", "2019"], ["Rope", ""]]),
    Quote("So it is."),
    Code("x = y[0] * 2\n    return x"),
    Paragraph("ef\u00adficient"),
)
MARKDOWN = """\
## Terms

A **bold** m<sup>2</sup>[ at](https://a.example)

- one
- two
  1. inner

| Item | 2019 |
| --- | --- |
| Rope |  |

> So it is.

```
x = y[0] * 2
    return x
```

efficient
"""


def test_markdown_of_a_document_has_the_marks_of_its_blocks() -> None:
    assert PrintedDocument(BLOCKS).markdown() == MARKDOWN


def test_words_of_a_document_are_those_of_its_markdown() -> None:
    assert PrintedDocument(BLOCKS).difference(MARKDOWN) == []


def test_table_with_a_span_is_html_in_markdown() -> None:
    table = Table([["Office", Cell("Half", columns=2)], [Cell("A & B", rows=2), "1", "2"], ["3", "4"]])
    assert table.markdown() == (
        '<table><tr><th>Office</th><th colspan="2">Half</th></tr>'
        '<tr><td rowspan="2">A &amp; B</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>'
    )
    assert markdown_words(table.markdown()) == ["Office", "Half", "A", "&", "B", "1", "2", "3", "4"]


def test_difference_names_lost_surplus_and_moved_words() -> None:
    assert difference(["a", "b", "c"], ["a", "c", "b"]) == ["+c", "-c"]
    assert difference(["a", "b"], ["a", "b", "b"]) == ["+b"]
    assert difference(["a", "–"], ["a"]) == ["-–"]


def test_difference_accepts_a_compound_without_hyphen_only_if_it_never_comes_with_it() -> None:
    assert difference(["e-mail", "x", "e-mail"], ["email", "x", "email"]) == []
    assert difference(["e-mail", "x", "e-mail"], ["email", "x", "e-mail"]) == ["-e-mail", "+email"]


def test_difference_accepts_a_korean_word_in_two_parts_only_if_it_never_comes_in_one() -> None:
    assert difference(["항구는", "x", "항구는"], ["항구", "는", "x", "항", "구는"]) == []
    assert difference(["항구는", "x", "항구는"], ["항구", "는", "x", "항구는"]) == ["-항구는", "+항구 는"]
    assert difference(["seaport"], ["sea", "port"]) == ["-seaport", "+sea port"]


def test_words_of_markdown_keep_an_asterisk_and_a_dollar_of_the_text() -> None:
    words = markdown_words("*a* `b * 2` $4,737 $a^2$ \\*c | d")
    assert words == ["a", "b", "*", "2", "$4,737", "a^2", "*c", "d"]
