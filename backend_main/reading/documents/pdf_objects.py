"""Objects of a PDF page, read in one pass: text objects, paths, images and shadings, also those in forms.

Chromium draws each glyph as a text object of its own. So the raw functions of pdfium are called: pypdfium2's
`get_objects` takes 17 µs for an object, this 1 µs.
"""

import ctypes
from collections.abc import Iterable
from typing import Any, NamedTuple

MAX_OBJECT_DEPTH = 40
"""Nesting of forms that is followed; pdfium draws no deeper ones."""
MAX_OBJECTS = 500_000
"""Objects of a page that are read; a page full of text that Chromium printed has 5,000."""

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


class PageObject(NamedTuple):
    """An object that is not a form. `matrix` maps the coordinates of the form that contains it to the page's.

    `kind` is one of pdfium's `FPDF_PAGEOBJ_…`.
    """

    raw: Any
    kind: int
    matrix: Matrix = IDENTITY


def page_objects(page: Any) -> list[PageObject]:
    """Return the objects of a pypdfium2 page in the order in which they are drawn."""
    import pypdfium2.raw as pdfium

    raw = page.raw
    found: list[PageObject] = []
    count, get = pdfium.FPDFPage_CountObjects(raw), pdfium.FPDFPage_GetObject
    _add_objects(found, (get(raw, number) for number in range(count)), IDENTITY, MAX_OBJECT_DEPTH)
    return found


def text_objects(objects: Iterable[PageObject]) -> list[Any]:
    """Return pdfium's text objects among the objects of a page."""
    import pypdfium2.raw as pdfium

    return [item.raw for item in objects if item.kind == pdfium.FPDF_PAGEOBJ_TEXT]


def _add_objects(found: list[PageObject], items: Iterable[Any], matrix: Matrix, depth: int) -> None:
    import pypdfium2.raw as pdfium

    type_of, form_type = pdfium.FPDFPageObj_GetType, pdfium.FPDF_PAGEOBJ_FORM
    for raw in items:
        kind = type_of(raw)
        if kind != form_type:
            found.append(PageObject(raw, kind, matrix))
        elif depth:
            count, get = pdfium.FPDFFormObj_CountObjects(raw), pdfium.FPDFFormObj_GetObject
            contents = (get(raw, number) for number in range(count))
            _add_objects(found, contents, product(own_matrix(raw), matrix), depth - 1)
        if len(found) > MAX_OBJECTS:
            return


def own_matrix(raw: Any) -> Matrix:
    """Return the matrix of an object, which maps its coordinates to those of its form."""
    import pypdfium2.raw as pdfium

    found = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(raw, found):
        return IDENTITY
    return found.a, found.b, found.c, found.d, found.e, found.f


def product(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that applies `first`, then `second`."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    """Map a point."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def bounds(raw: Any, matrix: Matrix) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of an object on the page, in points; all 0 if it has none."""
    import pypdfium2.raw as pdfium

    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(raw, left, bottom, right, top):
        return 0.0, 0.0, 0.0, 0.0
    sides = [(x, y) for x in (left.value, right.value) for y in (bottom.value, top.value)]
    xs, ys = zip(*(apply(matrix, x, y) for x, y in sides), strict=True)
    return min(xs), min(ys), max(xs), max(ys)
