"""Responses of the REST API about readings, as types; pure."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from .field_types import Status


class ReadingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A reading of an upload, without its texts."""

    number: int
    is_current: bool
    status: Status
    error: str | None
    engine: str
    languages: list[str]
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

    warnings: list[str]
    raw_text: str
    processed_text: str


class ReadingList(msgspec.Struct, frozen=True, kw_only=True):
    """The readings of an upload, the newest first."""

    readings: list[ReadingInfo]


class WordChange(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a page that differ between two readings."""

    kind: Literal["replace", "insert", "delete"]
    first: str
    second: str
    first_span: tuple[int, int]
    second_span: tuple[int, int]


class PageComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Differences of one page between two readings."""

    number: int
    first_words: int | None
    second_words: int | None
    differing_words: int | None
    first_confidence: float | None
    second_confidence: float | None
    first_seconds: float | None
    second_seconds: float | None
    changes: list[WordChange] | UnsetType = UNSET


class ReadingComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two readings of an upload, page by page."""

    first: ReadingInfo
    second: ReadingInfo
    pages: list[PageComparison]
