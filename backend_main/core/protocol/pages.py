"""Finished pages as the REST API returns them, as types; pure."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from ...reading.types import Block, Box, LineRole, Word


class PageWarning(msgspec.Struct, frozen=True, kw_only=True):
    """A warning about text of a page that is missing or uncertain."""

    code: str
    message: str
    boxes: list[Box]
    share: float | None


class PageLine(msgspec.Struct, frozen=True, kw_only=True, tag="Line"):
    """A line of a finished page, with its corners in pixels, and its place in the Markdown of the page."""

    page: int
    text: str
    markdown: str
    box: Box | None
    confidence: float | None
    role: LineRole
    span: tuple[int, int] | None
    words: tuple[Word, ...] | UnsetType = UNSET


class PageInstance(msgspec.Struct, frozen=True, kw_only=True):
    """A finished page. Its blocks are in reading order, without the fields that have their default value."""

    schema_version: Literal[1]
    number: int
    width: int
    height: int
    markdown: str
    text: str
    lines: list[PageLine]
    blocks: list[Block]
    warnings: list[PageWarning]
    # Pages of the command line, which the schema describes too, lack these.
    confidence: float | None = None
    uncertain_share: float | None = None
    correction: str | None = None
    corrected_by: str | None = None
    corrected_at: dt.datetime | None = None
