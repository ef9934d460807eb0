"""What a PDF page draws beside its text: lines, filled rectangles, images, and other shapes."""

import ctypes
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Mapping = Callable[[float, float], tuple[float, float]]
"""From points, from the bottom left of the page, to pixels of the rendered page."""
Rect = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the rendered page."""

MAX_OBJECT_DEPTH = 15
"""Nesting of form objects that are searched."""
MAX_SEGMENTS = 20_000
"""Segments of a page that are read; a map or a plot may have a million."""
MAX_RULE_THICKNESS = 3.0
"""In points: a thinner filled rectangle is a line."""
MAX_SLOPE = 0.5
"""In points: a line whose ends differ by less is level or upright."""
MIN_RULE_LENGTH = 2.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A level or upright line, in pixels of the rendered page; `x0` ≤ `x1`, `y0` ≤ `y1`."""

    x0: float
    y0: float
    x1: float
    y1: float
    thickness: float

    @property
    def is_horizontal(self) -> bool:
        return self.x1 - self.x0 >= self.y1 - self.y0


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled rectangle; `color` is 0xRRGGBB."""

    rect: Rect
    color: int


@dataclass(frozen=True, slots=True)
class Graphics:
    """Drawing of a page.

    `rules` include the sides of stroked rectangles. `shapes` are the bounds of curves and oblique lines.
    `is_complete` is False if the page has more segments than are read.
    """

    rules: tuple[Rule, ...] = ()
    fills: tuple[Fill, ...] = ()
    images: tuple[Rect, ...] = ()
    shapes: tuple[Rect, ...] = ()
    is_complete: bool = True


NO_GRAPHICS = Graphics()


def read_graphics(page: Any, to_pixels: Mapping) -> Graphics:
    """Return what a pypdfium2 page draws beside its text."""
    import pypdfium2.raw as pdfium

    reader = _Reader(to_pixels)
    kinds = [pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING]
    for item in page.get_objects(filter=kinds, max_depth=MAX_OBJECT_DEPTH):
        matrix = _matrix_to_page(item)
        if item.type == pdfium.FPDF_PAGEOBJ_PATH:
            reader.add_path(item.raw, matrix)
        else:
            reader.add_image(item, matrix)
        if reader.segments > MAX_SEGMENTS:
            break
    return reader.graphics()


Matrix = tuple[float, float, float, float, float, float]


def _matrix_to_page(item: Any) -> Matrix:
    """Return the matrix from an object's own container to the page: forms may be nested."""
    import pypdfium2.raw as pdfium

    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    container = getattr(item, "container", None)
    while container is not None:
        raw = pdfium.FS_MATRIX()
        if pdfium.FPDFPageObj_GetMatrix(container.raw, raw):
            matrix = _product(matrix, (raw.a, raw.b, raw.c, raw.d, raw.e, raw.f))
        container = getattr(container, "container", None)
    return matrix


def _product(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


class _Reader:
    def __init__(self, to_pixels: Mapping) -> None:
        self._to_pixels = to_pixels
        self._scale = math.dist(to_pixels(0, 0), to_pixels(1, 0)) or 1.0
        self.segments = 0
        self._rules: list[Rule] = []
        self._fills: list[Fill] = []
        self._images: list[Rect] = []
        self._shapes: list[Rect] = []

    def graphics(self) -> Graphics:
        return Graphics(
            tuple(self._rules),
            tuple(self._fills),
            tuple(self._images),
            tuple(self._shapes),
            self.segments <= MAX_SEGMENTS,
        )

    def add_image(self, item: Any, matrix: Matrix) -> None:
        left, bottom, right, top = item.get_bounds()
        corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
        self._images.append(self._rect([_apply(matrix, x, y) for x, y in corners]))

    def add_path(self, raw: Any, matrix: Matrix) -> None:
        import pypdfium2.raw as pdfium

        fill_mode, has_stroke = ctypes.c_int(), ctypes.c_int()
        if not pdfium.FPDFPath_GetDrawMode(raw, fill_mode, has_stroke):
            return
        own = pdfium.FS_MATRIX()
        if pdfium.FPDFPageObj_GetMatrix(raw, own):
            matrix = _product((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
        width = ctypes.c_float()
        pdfium.FPDFPageObj_GetStrokeWidth(raw, width)
        stretch = math.sqrt(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2])) or 1.0
        for points, has_curve in self._subpaths(raw, matrix):
            if fill_mode.value and self._add_filled(raw, points, has_curve=has_curve):
                continue
            if has_stroke.value and not has_curve:
                self._add_stroked(points, width.value * stretch)
            elif points:
                self._shapes.append(self._rect(points))

    def _subpaths(self, raw: Any, matrix: Matrix) -> Iterator[tuple[list[tuple[float, float]], bool]]:
        """Yield the points of each part of a path, in points of the page, and whether it has curves."""
        import pypdfium2.raw as pdfium

        x, y = ctypes.c_float(), ctypes.c_float()
        points: list[tuple[float, float]] = []
        has_curve = False
        for number in range(pdfium.FPDFPath_CountSegments(raw)):
            self.segments += 1
            if self.segments > MAX_SEGMENTS:
                break
            segment = pdfium.FPDFPath_GetPathSegment(raw, number)
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO and points:
                yield points, has_curve
                points, has_curve = [], False
            has_curve = has_curve or kind == pdfium.FPDF_SEGMENT_BEZIERTO
            points.append(_apply(matrix, x.value, y.value))
            if pdfium.FPDFPathSegment_GetClose(segment):
                points.append(points[0])
        if points:
            yield points, has_curve

    def _add_filled(self, raw: Any, points: list[tuple[float, float]], *, has_curve: bool) -> bool:
        """Add a filled rectangle, as a line if it is thin; return False for any other shape."""
        xs, ys = {round(x, 2) for x, _ in points}, {round(y, 2) for _, y in points}
        if has_curve or len(xs) > 2 or len(ys) > 2 or len(points) < 4:
            return False
        rect = self._rect(points)
        left, top, right, bottom = rect
        thickness = min(right - left, bottom - top)
        if thickness > MAX_RULE_THICKNESS * self._scale:
            self._fills.append(Fill(rect, _fill_color(raw)))
        elif right - left >= bottom - top:
            self._rules.append(Rule(left, (top + bottom) / 2, right, (top + bottom) / 2, thickness))
        else:
            self._rules.append(Rule((left + right) / 2, top, (left + right) / 2, bottom, thickness))
        return True

    def _add_stroked(self, points: list[tuple[float, float]], width: float) -> None:
        for (x0, y0), (x1, y1) in pairwise(points):
            is_straight = min(abs(x1 - x0), abs(y1 - y0)) <= MAX_SLOPE
            rect = self._rect([(x0, y0), (x1, y1)])
            if not is_straight:
                self._shapes.append(rect)
            elif max(abs(x1 - x0), abs(y1 - y0)) >= MIN_RULE_LENGTH:
                self._rules.append(Rule(*rect, width * self._scale))

    def _rect(self, points: list[tuple[float, float]]) -> Rect:
        xs, ys = zip(*(self._to_pixels(x, y) for x, y in points), strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def _fill_color(raw: Any) -> int:
    import pypdfium2.raw as pdfium

    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(raw, red, green, blue, alpha):
        return 0
    return red.value << 16 | green.value << 8 | blue.value
