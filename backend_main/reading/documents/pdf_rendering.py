"""Rendering of a PDF page: in color for an engine, in gray for tests of its ink, and without its text."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from .pixels import Pixels

POINTS_PER_INCH = 72
Gray = npt.NDArray[np.uint8]
"""(height, width)."""


def render_page(page: Any, scale: float) -> Pixels:
    """Render a page in BGR. `scale` is in pixels per point."""
    with _rendered(page, scale, grayscale=False) as rendered:
        if rendered.shape[2] == 1:
            return np.repeat(rendered, 3, axis=2)
        return np.array(rendered[:, :, :3], order="C", copy=True)


def render_gray(page: Any, scale: float) -> Gray:
    """Render a page in gray. `scale` is in pixels per point."""
    with _rendered(page, scale, grayscale=True) as rendered:
        return np.array(rendered[:, :, 0], order="C", copy=True)


@contextmanager
def _rendered(page: Any, scale: float, *, grayscale: bool) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield (height, width, channels), a view of memory that is freed with the bitmap."""
    bitmap = page.render(scale=scale, grayscale=grayscale)
    try:
        rendered = bitmap.to_numpy()
        yield rendered[:, :, np.newaxis] if rendered.ndim == 2 else rendered
    finally:
        bitmap.close()


@contextmanager
def text_not_drawn(texts: Sequence[Any]) -> Iterator[None]:
    """Switch text objects of a loaded page off; the file does not change.

    Text in patterns and in annotations stays. The text page must be loaded before.
    """
    import pypdfium2.raw as pdfium

    for item in texts:
        pdfium.FPDFPageObj_SetIsActive(item, False)
    try:
        yield
    finally:
        for item in texts:
            pdfium.FPDFPageObj_SetIsActive(item, True)
