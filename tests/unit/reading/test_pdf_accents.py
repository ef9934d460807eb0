"""Accents drawn far from their letters in the content, composed with the letters that they are on."""

import pytest

from backend_main.reading.documents import pdf_accents
from backend_main.reading.documents.pdf_accents import with_accents
from backend_main.reading.documents.pdf_glyph import Glyph

ACUTE = "\u00b4"


def glyph(text: str, start: float, baseline: float = 0.0) -> Glyph:
    return Glyph(text, start, start + 5, baseline, 10, (1, 10.0), 0.0, int(start), 1)


def test_with_accents_composes_accent_drawn_after_all_letters() -> None:
    letters = [glyph(letter, 6.0 * place) for place, letter in enumerate("cafe noir")]
    found = with_accents([*letters, glyph(ACUTE, 18.0), glyph(ACUTE, 300.0)])
    assert "".join(one.text for one in found) == "café noir" + ACUTE


def test_with_accents_compares_accents_only_with_letters_below(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    composed = pdf_accents._composed
    monkeypatch.setattr(
        pdf_accents, "_composed", lambda base, *rest: compared.append(base.text) or composed(base, *rest)
    )
    letters = [glyph("e", 6.0 * place) for place in range(1000)]
    accents = [glyph(ACUTE, 6.0 * place) for place in range(0, 1000, 10)]
    found = with_accents([*letters, *[glyph("x", -100.0)] * 5, *accents])
    assert sum(one.text == "é" for one in found) == 100
    assert len(compared) < 1000
