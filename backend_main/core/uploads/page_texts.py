"""Fields of a reading that its pages determine: texts, warnings and grade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from ...reading.document_text import document_text
from ...reading.grade import Grade, combine
from ...reading.output.markdown import join_pages
from ..models import PageContent

DEFERRED_FIELDS = ("lines", "blocks", "words")
"""Columns that these functions do not need."""


class ProcessedPage(NamedTuple):
    """Page whose text a person may have corrected."""

    number: int
    markdown: str
    text: str


def upload_fields(pages: Sequence[PageContent]) -> dict[str, Any]:
    """Return the fields of an `Upload` that its finished pages determine."""
    grade = grade_of_pages(pages)
    codes = dict.fromkeys(warning["code"] for page in pages for warning in page.page_warnings)
    return {
        "raw_text": raw_text(pages),
        "plain_text": processed_text(pages),
        "warnings": messages_of(pages),
        "confidence": grade.mean_confidence,
        "uncertain_share": grade.uncertain_share,
        "warning_codes": f" {' '.join(codes)} " if codes else "",
    }


def raw_text(pages: Iterable[PageContent]) -> str:
    """Return the Markdown of the pages as one text."""
    return join_pages(page.markdown for page in pages)


def processed_text(pages: Iterable[PageContent]) -> str:
    """Return the plain text of the pages as one text, with the corrections of pages in it."""
    return document_text(ProcessedPage(page.number, page.markdown, page.processed_text) for page in pages)


def grade_of_pages(pages: Iterable[PageContent]) -> Grade:
    """Return the grade of the pages together. Pages without one, of earlier versions, do not count."""
    return combine(msgspec.convert(page.grade, Grade) for page in pages if page.grade is not None)


def messages_of(pages: Iterable[PageContent]) -> list[str]:
    """Return the messages of the warnings, each once."""
    return list(dict.fromkeys(warning["message"] for page in pages for warning in page.page_warnings))
