"""Rendering of a PDF page: in color for an engine, in gray for tests of its ink, and without its text."""

import ctypes
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from .pixels import Pixels

Gray = npt.NDArray[np.uint8]
"""(height, width)."""

MAX_FORM_DEPTH = 40
"""Nesting of form objects that is followed; pdfium draws no deeper ones."""


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


def set_text_drawn(page: Any, *, is_drawn: bool, keep: Collection[int] = ()) -> None:
    """Switch the text objects of a loaded page on or off, at any depth; the file does not change.

    Text in patterns and in annotations stays. The text page must be loaded before.

    Args:
        page: a pypdfium2 page.
        keep: addresses of text objects that stay as they are.
    """
    import pypdfium2.raw as pdfium

    for item in text_objects(page):
        if not keep or address_of(item) not in keep:
            pdfium.FPDFPageObj_SetIsActive(item, is_drawn)


def text_objects(page: Any) -> Iterator[Any]:
    """Yield pdfium's text objects of a page, at any depth."""
    import pypdfium2.raw as pdfium

    for item in page_objects(page):
        if pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_TEXT:
            yield item


def page_objects(page: Any) -> Iterator[Any]:
    """Yield pdfium's objects of a page in the order of drawing; a form before the objects in it."""
    import pypdfium2.raw as pdfium

    for index in range(pdfium.FPDFPage_CountObjects(page.raw)):
        yield from _with_contents(pdfium.FPDFPage_GetObject(page.raw, index), MAX_FORM_DEPTH)


def _with_contents(item: Any, depth: int) -> Iterator[Any]:
    import pypdfium2.raw as pdfium

    yield item
    if depth and pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_FORM:
        for index in range(pdfium.FPDFFormObj_CountObjects(item)):
            yield from _with_contents(pdfium.FPDFFormObj_GetObject(item, index), depth - 1)


def address_of(item: Any) -> int:
    """Return the address of a pdfium object, which identifies it while its page is open."""
    return ctypes.cast(item, ctypes.c_void_p).value or 0
