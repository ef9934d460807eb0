"""Texts of one of two sides that make their rows belong together: labels, and figures."""

import re
from collections.abc import Sequence

MIN_LABEL_SHARE, MIN_FIGURE_SHARE = 0.5, 0.6
"""Shares of the texts that are labels, or figures."""
_LABEL = re.compile(r"[:：]$|^\(?\d{1,3}[.)]$")
"""A text that ends with a colon, or the number of a list item."""


def are_labels(texts: Sequence[str]) -> bool:
    labels = sum(bool(_LABEL.search(text.rstrip())) for text in texts)
    return bool(texts) and labels >= MIN_LABEL_SHARE * len(texts)


def are_figures(texts: Sequence[str]) -> bool:
    """Return whether most texts have more digits and signs than letters."""
    figures = sum(2 * sum(map(str.isalpha, text)) < len(text.replace(" ", "")) for text in texts)
    return bool(texts) and figures >= MIN_FIGURE_SHARE * len(texts)
