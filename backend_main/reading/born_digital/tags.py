"""Tags of a page: the headings and quotes that the program which wrote the file has marked.

They are believed where the page agrees: if nearly all its text were headings, none would be.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from ..documents.pdf_structure import PageTags, TaggedArea
from ..documents.pdf_text_layer import TextLayer
from ..layout.geometry import Rect
from .page import MAX_OUTSIDE, StyleKey, main_style, style_key

LEVELS = {"Title": 1, "H": 1, "H1": 1, "H2": 2, "H3": 3, "H4": 4, "H5": 5, "H6": 6}
QUOTE = "BlockQuote"
MAX_HEADING_SHARE, MIN_LETTERS = 0.5, 300
"""Share of the letters of a page that headings can have, and letters from which it counts."""
MIN_TAGGED_SHARE = 0.3
"""Share of the letters of a style that is tagged as headings; writers forget some."""


class Tags:
    """Tagged areas of a page."""

    def __init__(self, layer: TextLayer) -> None:
        tags: PageTags = layer.tags
        self._quotes = [area for area in tags.areas if area.tag == QUOTE]
        headings = [area for area in tags.areas if area.tag in LEVELS]
        self._headings = headings if _are_plausible(layer, headings) else []

    def heading(self, rect: Rect) -> TaggedArea | None:
        """Return the area of the heading that a text is in."""
        return next((area for area in self._headings if is_in(rect, area.rect)), None)

    def is_quoted(self, rect: Rect) -> bool:
        return any(is_in(rect, area.rect) for area in self._quotes)


def style_levels(layers: Iterable[TextLayer], body: StyleKey) -> dict[StyleKey, int]:
    """Return the levels of styles whose text is often tagged as headings, but not that of running text."""
    counts: defaultdict[StyleKey, Counter[int]] = defaultdict(Counter)
    for layer in (layer for layer in layers if layer.tags.areas):
        tags = Tags(layer)
        for run in (run for run in layer.runs if run.pieces):
            area = tags.heading((*run.box[0], *run.box[2]))
            counts[style_key(main_style(run.pieces))][LEVELS[area.tag] if area else 0] += len(run.text)
    levels = {}
    for key, found in counts.items():
        untagged, total = found.pop(0, 0), sum(found.values())
        if key != body and total > MIN_TAGGED_SHARE * (total + untagged):
            levels[key] = found.most_common(1)[0][0]
    return levels


def is_in(rect: Rect, area: Rect) -> bool:
    """Return whether the centre of a rectangle is in an area."""
    x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    is_level = area[0] - MAX_OUTSIDE <= x <= area[2] + MAX_OUTSIDE
    return is_level and area[1] - MAX_OUTSIDE <= y <= area[3] + MAX_OUTSIDE


def _are_plausible(layer: TextLayer, headings: Sequence[TaggedArea]) -> bool:
    if not headings:
        return False
    counts = [(len(run.text), (*run.box[0], *run.box[2])) for run in layer.runs]
    total = sum(count for count, _ in counts)
    inside = sum(count for count, rect in counts if any(is_in(rect, area.rect) for area in headings))
    return total < MIN_LETTERS or inside <= MAX_HEADING_SHARE * total
