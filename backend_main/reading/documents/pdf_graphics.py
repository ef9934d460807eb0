"""What a PDF page draws beside its text: lines, filled rectangles, images, and other shapes."""

import ctypes
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .pdf_objects import Matrix, PageObject, apply, bounds, own_matrix, product

Mapping = Callable[[float, float], tuple[float, float]]
"""From points, from the bottom left of the page, to pixels of the rendered page."""
Rect = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels of the rendered page."""
PointRect = tuple[float, float, float, float]
"""Left, bottom, right and top, in points from the bottom left of the page."""

MAX_SEGMENTS = 20_000
"""Segments of a page that are read; of further paths, only the bounds. A map or a plot may have a million."""
MAX_SHAPES = 20_000
MAX_SAMPLED_POINTS = 200
"""Points of a long path whose bounds are taken for its own."""
MAX_SAMPLED_SEGMENTS = 40
"""First segments of a long path, which show whether it consists of lines and rectangles."""
MIN_STRAIGHT_SHARE, MAX_PART_SEGMENTS = 0.5, 8
"""Share of level and upright segments among these, and segments of a part, such as a line or a rectangle."""
MAX_RULE_THICKNESS = 3.0
"""In points: a thinner filled rectangle is a line."""
MAX_SLOPE, MAX_SLOPE_SHARE = 0.5, 0.05
"""In points, and in lengths of the line: a line whose ends differ by less is level or upright."""
MIN_RULE_LENGTH = 2.0
MIN_FRAME_POINTS, MAX_FRAME_POINTS = 4, 24
"""Points of a rectangle, and of one with rounded corners."""
MIN_FRAME_SIDE, MAX_CORNER_RADIUS = 20.0, 16.0
"""In points: side of a rectangle that may have text in it, and radius of its rounded corners."""


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

    @property
    def rect(self) -> Rect:
        """Area of the line with its thickness."""
        half = self.thickness / 2
        if self.is_horizontal:
            return self.x0, self.y0 - half, self.x1, self.y1 + half
        return self.x0 - half, self.y0, self.x1 + half, self.y1


@dataclass(frozen=True, slots=True)
class Fill:
    """A filled rectangle; `color` is 0xRRGGBB."""

    rect: Rect
    color: int


@dataclass(frozen=True, slots=True)
class Graphics:
    """Drawing of a page.

    `rules` include the sides of stroked rectangles. `shapes` are the bounds of curves and oblique lines.
    `frames` are rectangles that are stroked, or have rounded corners.
    """

    rules: tuple[Rule, ...] = ()
    fills: tuple[Fill, ...] = ()
    images: tuple[Rect, ...] = ()
    shapes: tuple[Rect, ...] = ()
    frames: tuple[Rect, ...] = ()


NO_GRAPHICS = Graphics()


def pixel_rect(rect: PointRect, to_pixels: Mapping) -> Rect:
    """Return a rectangle in pixels; the page may be rotated."""
    left, bottom, right, top = rect
    xs, ys = zip(to_pixels(left, bottom), to_pixels(right, top), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def read_graphics(objects: Iterable[PageObject], to_pixels: Mapping) -> Graphics:
    """Return what the objects of a page draw beside its text."""
    import pypdfium2.raw as pdfium

    reader = _Reader(to_pixels)
    for item in objects:
        if item.kind == pdfium.FPDF_PAGEOBJ_PATH:
            reader.add_path(item)
        elif item.kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            reader.add_image(item)
        elif item.kind == pdfium.FPDF_PAGEOBJ_SHADING:
            reader.add_shape(item)
    return reader.graphics()


class _Reader:
    def __init__(self, to_pixels: Mapping) -> None:
        self._to_pixels = to_pixels
        self._scale = math.dist(to_pixels(0, 0), to_pixels(1, 0)) or 1.0
        self.segments = 0
        self._fill_mode, self._has_stroke = ctypes.c_int(), ctypes.c_int()
        self._x, self._y = ctypes.c_float(), ctypes.c_float()
        self._rules: list[Rule] = []
        self._fills: list[Fill] = []
        self._images: list[Rect] = []
        self._shapes: list[Rect] = []
        self._frames: list[Rect] = []

    def graphics(self) -> Graphics:
        return Graphics(
            tuple(self._rules),
            tuple(self._fills),
            tuple(self._images),
            tuple(self._shapes),
            tuple(self._frames),
        )

    def add_image(self, item: PageObject) -> None:
        self._images.append(self._bounds(item))

    def add_shape(self, item: PageObject) -> None:
        if len(self._shapes) < MAX_SHAPES:
            self._shapes.append(self._bounds(item))

    def _add_bounds(self, raw: Any, count: int, matrix: Matrix) -> None:
        """Add the bounds of some points of a path. pdfium's own contain the joins, which may be far away."""
        import pypdfium2.raw as pdfium

        if len(self._shapes) >= MAX_SHAPES:
            return
        points = []
        for number in {*range(0, count, max(1, count // MAX_SAMPLED_POINTS)), count - 1}:
            segment = pdfium.FPDFPath_GetPathSegment(raw, number)
            pdfium.FPDFPathSegment_GetPoint(segment, self._x, self._y)
            points.append(apply(matrix, self._x.value, self._y.value))
        self._shapes.append(self._rect(points))

    def add_path(self, item: PageObject) -> None:
        import pypdfium2.raw as pdfium

        raw = item.raw
        if not pdfium.FPDFPath_GetDrawMode(raw, self._fill_mode, self._has_stroke):
            return
        fill_mode, has_stroke = self._fill_mode.value, self._has_stroke.value
        if not (fill_mode or has_stroke):
            return
        count = pdfium.FPDFPath_CountSegments(raw)
        matrix = product(own_matrix(raw), item.matrix)
        if self.segments + count > MAX_SEGMENTS or self._is_outline(raw, count, matrix):
            self._add_bounds(raw, count, matrix)
            return
        self.segments += count
        width = self._stroke_width(raw, matrix) if has_stroke else None
        for points, has_curve in self._subpaths(raw, count, matrix):
            if not (fill_mode and self._add_filled(raw, points, has_curve=has_curve)):
                self._add_outline(points, width, has_curve=has_curve)

    def _stroke_width(self, raw: Any, matrix: Matrix) -> float:
        import pypdfium2.raw as pdfium

        pdfium.FPDFPageObj_GetStrokeWidth(raw, self._x)
        return self._x.value * math.sqrt(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]))

    def _add_outline(
        self, points: list[tuple[float, float]], width: float | None, *, has_curve: bool
    ) -> None:
        """Add a part of a path that is not a filled rectangle; `width` is None if it is not stroked."""
        is_frame = _is_rectangle(points, has_curve=has_curve)
        if is_frame:
            self._frames.append(self._rect(points))
        if width is not None and not has_curve:
            self._add_stroked(points, width)
        elif not is_frame and len(self._shapes) < MAX_SHAPES:
            self._shapes.append(self._rect(points))

    def _is_outline(self, raw: Any, count: int, matrix: Matrix) -> bool:
        """Return whether only the bounds of a long path matter: its beginning is a curve, or a polygon."""
        if count <= MAX_SAMPLED_SEGMENTS:
            return False
        self.segments += MAX_SAMPLED_SEGMENTS
        parts = list(self._subpaths(raw, MAX_SAMPLED_SEGMENTS, matrix))
        segments = sum(len(points) - 1 for points, _ in parts)
        straight = sum(
            _is_straight(one, other)
            for points, has_curve in parts
            if not has_curve
            for one, other in pairwise(points)
        )
        is_polygon = segments > MAX_PART_SEGMENTS * len(parts)
        return is_polygon or straight < MIN_STRAIGHT_SHARE * segments

    def _subpaths(
        self, raw: Any, count: int, matrix: Matrix
    ) -> Iterator[tuple[list[tuple[float, float]], bool]]:
        """Yield the points of each part of a path, in points of the page, and whether it has curves."""
        import pypdfium2.raw as pdfium

        x, y = self._x, self._y
        points: list[tuple[float, float]] = []
        has_curve = False
        for number in range(count):
            segment = pdfium.FPDFPath_GetPathSegment(raw, number)
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO and points:
                yield points, has_curve
                points, has_curve = [], False
            has_curve = has_curve or kind == pdfium.FPDF_SEGMENT_BEZIERTO
            points.append(apply(matrix, x.value, y.value))
            if pdfium.FPDFPathSegment_GetClose(segment):
                points.append(points[0])
        if points:
            yield points, has_curve

    def _bounds(self, item: PageObject) -> Rect:
        left, bottom, right, top = bounds(item.raw, item.matrix)
        return self._rect([(left, bottom), (right, bottom), (right, top), (left, top)])

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
            rect = self._rect([(x0, y0), (x1, y1)])
            if not _is_straight((x0, y0), (x1, y1)):
                self._shapes.append(rect)
            elif max(abs(x1 - x0), abs(y1 - y0)) >= MIN_RULE_LENGTH:
                self._rules.append(Rule(*rect, width * self._scale))

    def _rect(self, points: list[tuple[float, float]]) -> Rect:
        xs, ys = zip(*(self._to_pixels(x, y) for x, y in points), strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def _is_straight(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether a segment is level or upright."""
    shorter, longer = sorted((abs(one[0] - other[0]), abs(one[1] - other[1])))
    return shorter <= min(MAX_SLOPE, MAX_SLOPE_SHARE * longer)


def _is_rectangle(points: list[tuple[float, float]], *, has_curve: bool) -> bool:
    """Return whether a path is a rectangle in which text may stand; with curves, its corners are rounded."""
    if not MIN_FRAME_POINTS <= len(points) <= MAX_FRAME_POINTS:
        return False
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    if min(right - left, top - bottom) < MIN_FRAME_SIDE:
        return False
    radius = MAX_CORNER_RADIUS if has_curve else MAX_SLOPE
    return all(min(x - left, right - x) <= radius and min(y - bottom, top - y) <= radius for x, y in points)


def _fill_color(raw: Any) -> int:
    import pypdfium2.raw as pdfium

    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(raw, red, green, blue, alpha):
        return 0
    return red.value << 16 | green.value << 8 | blue.value
