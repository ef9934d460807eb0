"""Lines with a given text and confidence, as an engine yields them."""

from __future__ import annotations

from backend_main.reading import Line

GOOD, BAD, LOST = ("a line of twenty and more letters", 0.97), ("in d d'n Da Dlli in l u D", 0.6), (".", 0.92)


def lines(*pairs: tuple[str, float | None], width: float = 400.0) -> list[Line]:
    """Return lines of 20 pixels' height with these texts and confidences."""
    box = ((0.0, 0.0), (width, 0.0), (width, 20.0), (0.0, 20.0))
    return [Line(1, text, text, box, confidence) for text, confidence in pairs]
