"""Readings of an upload as types; pure. An upload has one for each retry with other options."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from .messages import Status


class ReadingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A reading of an upload, without its texts.

    number            number from 1, never used again for the upload
    is_current        True for the reading that all other methods return
    profile, pages    options of the reading, or None
    confidence        mean confidence of the letters, from 0 to 1, or None
    uncertain_share   share of the words that the engine is not sure of, or None
    seconds           time that readers took for the pages, or None
    read_at           time at which the last page was finished, or None
    """

    number: int
    is_current: bool
    status: Status
    error: str | None
    engine: str
    languages: tuple[str, ...]
    profile: str | None
    pages: str | None
    page_count: int | None
    pages_done: int
    confidence: float | None
    uncertain_share: float | None
    seconds: float | None
    read_at: dt.datetime | None


class Reading(ReadingInfo, frozen=True, kw_only=True):
    """A reading of an upload, with the texts of its pages."""

    warnings: tuple[str, ...]
    raw_text: str
    processed_text: str


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """The readings of an upload, the newest first."""

    readings: tuple[ReadingInfo, ...]


class WordChange(msgspec.Struct, frozen=True, kw_only=True):
    """Words that differ between two readings of a page, with their places in both texts, in code points."""

    kind: Literal["replace", "insert", "delete"]
    first: str
    second: str
    first_span: tuple[int, int]
    second_span: tuple[int, int]


class PageComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Differences of one page. Numbers are None where a reading lacks the page.

    differing_words   words to insert, delete or replace; None if the texts are too long to compare
    changes           the words that differ; empty unless the request named the page
    """

    number: int
    first_words: int | None
    second_words: int | None
    differing_words: int | None
    first_confidence: float | None
    second_confidence: float | None
    first_seconds: float | None
    second_seconds: float | None
    changes: tuple[WordChange, ...] = ()


class ReadingComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two readings of an upload, page by page."""

    first: ReadingInfo
    second: ReadingInfo
    pages: tuple[PageComparison, ...]
