"""Codes of warnings about pages. A program can rely on them; the messages are for people and may change.

`docs/generate/descriptions.py` has the meaning of each code, and what its reader can do.
"""

from enum import StrEnum


class WarningCode(StrEnum):
    """Code of a warning. The page of codes of warnings has the meaning of each."""

    # ── text that the result lacks ──
    UNREAD_INK = "unread-ink"
    SCRIPT_NOT_READ = "script-not-read"
    LANGUAGE_NOT_READ = "language-not-read"
    LOST_LETTERS = "lost-letters"
    INCOMPLETE_PAGE = "incomplete-page"
    UNREAD_PICTURES = "unread-pictures"
    UNREADABLE_PAGE = "unreadable-page"
    NO_TEXT = "no-text"
    BLANK_PAGE = "blank-page"
    # ── text that may differ from the print ──
    LOW_CONFIDENCE = "low-confidence"
    SMALL_PRINT = "small-print"
    UNCHECKED_TEXT = "unchecked-text"
    LAYOUT_FAILED = "layout-failed"
    PLAIN_FORMULAS = "plain-formulas"
    CORRECTION_CONFLICT = "correction-conflict"
    # ── another way of reading than the requested one ──
    SCRIPT_REREAD = "script-reread"
    LANGUAGE_REREAD = "language-reread"
    FORMULAS_REREAD = "formulas-reread"
    FALLBACK_ENGINE = "fallback-engine"
    BROKEN_TEXT_LAYER = "broken-text-layer"
    # ── files ──
    MISSING_ROWS = "missing-rows"
    MISSING_DETAIL = "missing-detail"
    DAMAGED_PICTURE = "damaged-picture"
    TRUNCATED_FILE = "truncated-file"
    OTHER_IMAGES = "other-images"
    PAGES_BEYOND_END = "pages-beyond-end"
    XFA_FORM = "xfa-form"
    PORTFOLIO = "portfolio"
    # ── the rest ──
    UNSPECIFIED = "unspecified"
