"""Assembly of a page with a text layer, whose blocks of text may have several rotations.

Each rotation has its own frame, and is assembled there as a page. The upright text comes first, and the
others follow it in the order of the content.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from ..documents.pdf_text_layer import TextLayer
from ..documents.turned_page import block_layer, page_box, upright_layer
from ..layout.reading_order import OrderedBox
from ..output.formatted_page import PARAGRAPH_GAP, FormattedPage, join_formatted
from ..types import FurnitureOption
from .assembly import DigitalAssembly
from .document_context import DocumentContext
from .page import DigitalPage
from .page_order import PageOrder


@dataclass(frozen=True)
class _Part:
    """Text in one rotation; `indices` are those of its runs in the text layer of the page."""

    indices: tuple[int, ...]
    assembly: DigitalAssembly


class RotationsAssembly:
    """Assembly of one page: the order of its runs, for live text, and its final text."""

    def __init__(
        self, layer: TextLayer, number: int, context: DocumentContext, furniture: FurnitureOption = "drop"
    ) -> None:
        """Args: `furniture`: `keep` leaves page furniture in the text."""
        self._layer = layer
        self._parts: list[_Part] = []
        for indices, own in _layers(layer):
            # Other pages are compared in the frame of the page, so furniture is looked for there.
            kept: FurnitureOption = "keep" if self._parts else furniture
            self._parts.append(_Part(indices, DigitalAssembly(own, number, context, kept)))

    @cached_property
    def _parts_of_runs(self) -> dict[int, tuple[DigitalAssembly, int]]:
        return {index: (part.assembly, own) for part in self._parts for own, index in enumerate(part.indices)}

    def text(self, index: int) -> str:
        """Return the text of a run, with the fractions in it."""
        assembly, own = self._parts_of_runs[index]
        return assembly.text(own)

    def live(self) -> list[OrderedBox]:
        """Return the runs in the order of the final text."""
        return list(_joined((part.indices, part.assembly.order.live()) for part in self._parts))

    @property
    def plain_formula_share(self) -> float:
        """Share of the area of the text that is in formulas without LaTeX, from 0 to 1."""
        return self._parts[0].assembly.plain_formula_share

    def formatted(self) -> FormattedPage:
        """Return the final Markdown and plain text."""
        page, *turned = (
            part.assembly.formatted().with_places(part.indices.__getitem__) for part in self._parts
        )
        # Only the part of the page has figures, and so boxes.
        return join_formatted([page.with_boxes(partial(page_box, self._layer)), *turned])


def live_order(layer: TextLayer, number: int) -> list[OrderedBox]:
    """Return all runs of a page in an order that does not depend on other pages of the document."""
    layers = _layers(layer)
    return list(_joined((indices, PageOrder(DigitalPage(number, own)).live()) for indices, own in layers))


def _joined(parts: Iterable[tuple[tuple[int, ...], list[OrderedBox]]]) -> Iterator[OrderedBox]:
    """Yield the boxes of all parts, by their indices in the text layer of the page."""
    for number, (indices, boxes) in enumerate(parts):
        for place, box in enumerate(boxes):
            yield OrderedBox(indices[box.index], PARAGRAPH_GAP if number and not place else box.prefix)


def _layers(layer: TextLayer) -> list[tuple[tuple[int, ...], TextLayer]]:
    """Return the parts of a text layer in their frames, each with the indices of its runs.

    The first part is that of the page, with or without runs.
    """
    own: list[int] = []
    turned: dict[float, list[int]] = {}
    for index, run in sorted(enumerate(layer.runs), key=lambda each: each[1].place or 0):
        (own if run.rotation is None else turned.setdefault(run.rotation, [])).append(index)
    if not turned:
        return [(tuple(range(len(layer.runs))), upright_layer(layer))]
    own.sort()
    upright = upright_layer(replace(layer, runs=tuple(layer.runs[index] for index in own)))
    return [
        (tuple(own), upright),
        *((tuple(each), block_layer(layer, rotation, each)) for rotation, each in turned.items()),
    ]
