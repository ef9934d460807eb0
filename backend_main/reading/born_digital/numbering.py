"""Numbers of sections, and markers of lists, at the start of a text."""

import re
from dataclasses import dataclass
from typing import Literal

from ..layout.text_joining import BULLET

MAX_SECTION_NUMBER = 99
"""Larger numbers at the start of a heading are years or quantities."""

_SECTION = re.compile(r"^(?:§\s*)?(\d{1,2}(?:\.\d{1,3}){0,5})\.?(?=\s+\S|$)")
_ROMAN_SECTION = re.compile(r"^[IVX]{1,5}\.\s+\S")
_LETTER_SECTION = re.compile(r"^[A-Z]\.(?:\d{1,2}\.?)*\s+\S")
_NAMED_SECTION = re.compile(
    r"^(?:chapter|part|section|appendix|annex|article|kapitel|teil|abschnitt|anhang|artikel|chapitre|partie|annexe"
    r"|capítulo|parte|sección|anexo|capitolo|sezione|hoofdstuk|глава|часть|раздел|приложение)\s+[\dIVXA-Z]",
    re.IGNORECASE,
)

_BULLET = re.compile(rf"^(?:{BULLET}|o\s+(?=\S))")
_NUMBER = re.compile(r"^(\d{1,3})[.)](?:\s+(?=\D|\d+\s)|(?=[^\s\d.,)]{2}))")
_OTHER = re.compile(
    r"^(?:\((?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})\)|(?:[a-z]|[ivx]{1,5})[.)]|[A-Z]\)|[①-⑳])\s+(?=\S)"
)


@dataclass(frozen=True)
class Marker:
    """Marker of a list item. `text` is what stands before the item, without the space after it.

    `other` markers, such as "(a)" and "iv.", are unknown to Markdown and stay in the text.
    """

    kind: Literal["bullet", "number", "other"]
    text: str
    number: int = 0


def list_item_marker(text: str) -> Marker | None:
    """Return the marker at the start of a text."""
    if found := _BULLET.match(text):
        return Marker("bullet", found[0].rstrip()) if len(text) > found.end() else None
    if found := _NUMBER.match(text):
        return Marker("number", found[0].rstrip(), int(found[1]))
    if found := _OTHER.match(text):
        return Marker("other", found[0].rstrip())
    return None


def section_depth(text: str) -> int:
    """Return how many parts the section number of a text has, 0 without one: 2 for "2.1 Method"."""
    found = _SECTION.match(text)
    if not found or not any(letter.isalpha() for letter in text):
        return 0
    parts = found[1].split(".")
    return len(parts) if int(parts[0]) <= MAX_SECTION_NUMBER else 0


def has_section_number(text: str) -> bool:
    """Return whether a text begins as a numbered heading does: "2.1", "IV.", "B.", "Appendix A"."""
    return bool(section_depth(text) or _is_lettered(text) or _NAMED_SECTION.match(text))


def has_clear_number(text: str) -> bool:
    """Return whether a text begins with a number that only sections have: "2.1", "2.", "IV.", "B."."""
    found = _SECTION.match(text)
    return bool(section_depth(text) and found and "." in text[: found.end()]) or _is_lettered(text)


def _is_lettered(text: str) -> bool:
    return bool(_ROMAN_SECTION.match(text) or _LETTER_SECTION.match(text))
