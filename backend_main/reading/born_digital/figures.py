"""Figures of a born-digital page: images and drawings, and the text in them.

A drawing is a cluster of curves, oblique lines and empty filled rectangles, such as a chart or a diagram,
with the lines and boxes at it. Lines alone do not make one: they are borders, underlines and tables. An image
or a drawing behind running text is a background.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..layout.geometry import LayoutBox, Rect, bounding_rect, rect_area, union_rect
from ..layout.rows import body_text_height
from .order import prose_indices
from .page import DigitalPage

MAX_PAGE_SHARE, MIN_PAGE_SHARE = 0.6, 0.01
"""Shares of the page's area: a larger image is a background, a smaller one an icon."""
MIN_DIAGRAM_SEEDS, MIN_FILLED_SHARE = 10, 0.2
"""Seeds in a frame, and share of its area in clusters of them, from which the frame is one diagram.

Bars on one axis fill as much.
"""
MIN_SEEDS = 3
"""Curves, oblique lines and empty filled rectangles of a drawing."""
MAX_PARTS = 3000
"""Parts of drawings on a page; a map has more, and its parts are not clustered one by one."""
MAX_FRAMES, MAX_CLUSTERS, MAX_BRIDGES = 100, 200, 200
MIN_TEXT_CHARACTERS = 35
MIN_TEXT_WIDTH, MAX_TEXT_ROWS = 0.5, 2
"""More lines of paragraphs that are as long, or fill this share of a figure's width, are running text."""
MAX_BORDER_GROWTH = 2.5
"""In areas of a drawing: a rectangle around it that is not larger is its border."""
MAX_TEXT_SHARE = 0.3
"""Share of the page's boxes: an image with more of them is a background."""
# In heights of running text.
MIN_WIDTH, MIN_HEIGHT = 5.0, 3.0
MAX_PART_GAP, MIN_PART_GAP = 1.0, 0.2
"""Parts of one drawing are as near; less if there is running text between them."""
MAX_GROWTH = 6.0
"""A line or a box beside a drawing extends it by at most as much: an axis, a border."""
MAX_LABEL_GAP, MAX_LABEL_SIZE = 1.5, 1.1
"""Labels outside of a drawing are as near, and not larger."""
MAX_LABEL_WIDTH = 0.5
"""In widths of the figure."""
MAX_LINE_PITCH = 2.0
"""In text heights: lines of a paragraph are as near."""
MAX_LABEL_ROUNDS = 3
"""Numbers of an axis, its title, and the legend."""
MAX_PLACE_STEP = 60
"""Characters between two texts of a drawing in the content of the page."""
MAX_TICK_CHARACTERS = 6
"""Labels of an axis are as short."""


@dataclass(frozen=True)
class DigitalFigure:
    """A figure, and the boxes of its own words. `seeds`: curves, oblique lines and empty rectangles in it."""

    rect: Rect
    boxes: frozenset[int]
    seeds: int = 0


def find_figures(
    page: DigitalPage, boxes: Sequence[LayoutBox], tables: Sequence[Rect] = ()
) -> list[DigitalFigure]:
    """Return the figures of a page, outside of its tables; the free boxes in them are labels."""
    if not (page.graphics.images or page.graphics.shapes or page.graphics.fills):
        return []
    return _FigureFinder(page, boxes, tables).figures()


@dataclass
class _Cluster:
    """Parts of a drawing that are near each other."""

    rect: Rect
    seeds: int = 0
    images: int = 0
    parts: "list[_Cluster]" = field(default_factory=list)


class _FigureFinder:
    def __init__(self, page: DigitalPage, boxes: Sequence[LayoutBox], tables: Sequence[Rect]) -> None:
        self._page = page
        self._boxes = sorted(boxes, key=lambda box: box.center_y)
        self._tables = tables
        self._body = body_text_height(page.boxes)
        self._area = float(page.layer.width * page.layer.height)
        self._prose = prose_indices(self._boxes)

    def figures(self) -> list[DigitalFigure]:
        found: list[DigitalFigure] = []
        used: set[int] = set()
        for cluster in sorted(self._clusters(), key=lambda cluster: -rect_area(cluster.rect)):
            if not self._is_figure(cluster):
                continue
            cluster.rect = self._border(cluster)
            labels = [box for box in self._labels(cluster.rect) if box.index not in used]
            if not labels and not cluster.images:
                continue  # an ornament
            used.update(box.index for box in labels)
            rect = union_rect([cluster.rect, bounding_rect(labels)]) if labels else cluster.rect
            found.append(DigitalFigure(rect, frozenset(box.index for box in labels), cluster.seeds))
        return found

    # --- drawings ------------------------------------------------------------------------------------------

    @cached_property
    def _seeds(self) -> list[Rect]:
        graphics = self._page.graphics
        fills = [fill.rect for fill in graphics.fills if not self._inside(fill.rect)]
        return self._parts([*graphics.shapes, *fills])

    def _clusters(self) -> list[_Cluster]:
        """Return clusters of images and seeds, with the other parts at them; each in its own frame."""
        graphics = self._page.graphics
        by_frame: dict[Rect | None, list[_Cluster]] = {}
        for rect in self._parts(graphics.images):
            self._add_part(by_frame, rect, images=1)
        for rect in self._seeds if len(self._seeds) <= MAX_PARTS else []:
            self._add_part(by_frame, rect, seeds=1)
        texts = [fill.rect for fill in graphics.fills if self._inside(fill.rect)]
        rules = [(rule.x0, rule.y0, rule.x1, rule.y1) for rule in graphics.rules]
        others = self._parts([*texts, *graphics.frames, *rules])
        found = []
        for parts in by_frame.values():
            found += self._without_text(parts, MAX_PART_GAP * self._body)
        found = self._filled_frames(self._merged_frames(self._bridged(found)))
        found = [cluster for cluster in found if cluster.images or cluster.seeds >= MIN_SEEDS]
        if len(others) <= MAX_PARTS:
            for rect in sorted(others, key=rect_area):
                self._add_to_nearest(rect, found)
        return found

    def _merged_frames(self, clusters: list[_Cluster]) -> list[_Cluster]:
        """Merge clusters that are parts of one drawing, such as a chart and its legend in a frame."""
        merged: list[_Cluster] = []
        if len(clusters) > MAX_CLUSTERS:
            return clusters
        for cluster in sorted(clusters, key=lambda cluster: -rect_area(cluster.rect)):
            for other in merged:
                union = union_rect([cluster.rect, other.rect])
                is_near = _near(cluster.rect, other.rect, MAX_LABEL_GAP * self._body)
                if is_near and not self._has_text(union):
                    other.rect = union
                    other.seeds += cluster.seeds
                    other.images += cluster.images
                    break
            else:
                merged.append(cluster)
        return merged if len(merged) == len(clusters) else self._merged_frames(merged)

    def _bridged(self, clusters: list[_Cluster]) -> list[_Cluster]:
        """Merge the clusters that a long line touches: groups of bars on an axis, or behind grid lines."""
        if not 1 < len(clusters) <= MAX_CLUSTERS:
            return clusters
        rules = self._parts((rule.x0, rule.y0, rule.x1, rule.y1) for rule in self._page.graphics.rules)
        bridges = [rule for rule in rules if rule[2] - rule[0] + rule[3] - rule[1] > MIN_WIDTH * self._body]
        for bridge in bridges[:MAX_BRIDGES]:
            touched = [one for one in clusters if _near(bridge, one.rect, MIN_PART_GAP * self._body)]
            rect = union_rect([bridge, *(one.rect for one in touched)])
            is_filled = sum(rect_area(one.rect) for one in touched) >= MIN_FILLED_SHARE * rect_area(rect)
            is_large = rect_area(rect) > MAX_PAGE_SHARE * self._area
            if len(touched) < 2 or not is_filled or is_large or self._has_text(rect):
                continue
            seeds, images = sum(one.seeds for one in touched), sum(one.images for one in touched)
            clusters = [one for one in clusters if one not in touched] + [_Cluster(rect, seeds, images)]
        return clusters

    def _filled_frames(self, clusters: list[_Cluster]) -> list[_Cluster]:
        """Replace the clusters in a frame by one if they fill much of it: a diagram of many parts."""
        for frame in reversed(self._frames):
            inside = [cluster for cluster in clusters if _contains(frame, cluster.rect)]
            seeds = sum(cluster.seeds for cluster in inside)
            filled = sum(rect_area(cluster.rect) for cluster in inside)
            is_filled = seeds >= MIN_DIAGRAM_SEEDS and filled >= MIN_FILLED_SHARE * rect_area(frame)
            if len(inside) > 1 and is_filled and not self._has_text(frame):
                images = sum(cluster.images for cluster in inside)
                clusters = [cluster for cluster in clusters if cluster not in inside]
                clusters.append(_Cluster(frame, seeds, images))
        return clusters

    def _add_part(
        self, by_frame: dict[Rect | None, list[_Cluster]], rect: Rect, *, seeds: int = 0, images: int = 0
    ) -> None:
        """Add a part to the smallest frame that its center is in, clipped: shadows reach out of it."""
        x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        frame = next((one for one in self._frames if _is_inside(one, x, y)), None)
        if frame is not None:
            rect = _clipped(rect, frame)
        by_frame.setdefault(frame, []).append(_Cluster(rect, seeds, images))

    @cached_property
    def _frames(self) -> list[Rect]:
        """Frames that may be the borders of figures, small ones first."""
        limits = MIN_PAGE_SHARE * self._area, MAX_PAGE_SHARE * self._area
        frames = [rect for rect in self._page.graphics.frames if limits[0] <= rect_area(rect) <= limits[1]]
        return sorted(frames, key=rect_area)[:MAX_FRAMES]

    def _without_text(self, parts: Sequence[_Cluster], gap: float) -> list[_Cluster]:
        """Return clusters of parts. One with running text in it is divided at smaller gaps."""
        found = []
        for cluster in _merged([replace(part, parts=[part]) for part in parts], gap):
            is_divisible = len(cluster.parts) > 1 and gap >= MIN_PART_GAP * self._body
            if is_divisible and self._has_text(cluster.rect):
                found += self._without_text(cluster.parts, gap / 2)
            else:
                found.append(cluster)
        return found

    def _add_to_nearest(self, rect: Rect, clusters: Sequence[_Cluster]) -> None:
        """Extend a drawing by a line or a box at it that is not much larger."""
        gap = MAX_PART_GAP * self._body / 2
        for cluster in clusters:
            if not _near(rect, cluster.rect, gap):
                continue
            union = union_rect([rect, cluster.rect])
            growth = [
                (union[side + 2] - union[side]) - (cluster.rect[side + 2] - cluster.rect[side])
                for side in (0, 1)
            ]
            if max(growth) <= MAX_GROWTH * self._body:
                cluster.rect = union
                return

    def _parts(self, rects: Iterable[Rect]) -> list[Rect]:
        """Return rectangles clipped to the page, without backgrounds and what is in tables."""
        width, height = self._page.layer.width, self._page.layer.height
        parts = []
        for left, top, right, bottom in rects:
            part = (max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom))
            is_on_page = part[0] <= part[2] and part[1] <= part[3]
            is_in_table = any(_near(part, table, 0.0) for table in self._tables)
            if is_on_page and not is_in_table and rect_area(part) < MAX_PAGE_SHARE * self._area:
                parts.append(part)
        return parts

    def _is_figure(self, cluster: _Cluster) -> bool:
        left, top, right, bottom = cluster.rect
        if right - left < MIN_WIDTH * self._body or bottom - top < MIN_HEIGHT * self._body:
            return False
        if not MIN_PAGE_SHARE * self._area <= rect_area(cluster.rect) <= MAX_PAGE_SHARE * self._area:
            return False
        if self._has_text(cluster.rect):
            return False
        is_few = len(self._inside(cluster.rect)) <= MAX_TEXT_SHARE * len(self._page.boxes)
        return cluster.seeds >= MIN_SEEDS or is_few

    def _has_text(self, rect: Rect) -> bool:
        """Return whether running text lies in a rectangle: lines of paragraphs that are long, or fill it."""
        min_width = MIN_TEXT_WIDTH * (rect[2] - rect[0])
        lines = [box for box in self._inside(rect) if box.index in self._prose]
        text = [
            box for box in lines if box.width > min_width or len(self._page.text(box)) >= MIN_TEXT_CHARACTERS
        ]
        return len(text) > MAX_TEXT_ROWS

    def _border(self, cluster: _Cluster) -> Rect:
        """Return the rectangle around a drawing and its title; the drawing's own if there is none."""
        graphics = self._page.graphics
        for rect in sorted([*graphics.frames, *(fill.rect for fill in graphics.fills)], key=rect_area):
            is_border = _contains(rect, cluster.rect) and rect_area(rect) < MAX_BORDER_GROWTH * rect_area(
                cluster.rect
            )
            if is_border and self._is_figure(replace(cluster, rect=rect)):
                return rect
        return cluster.rect

    def _inside(self, rect: Rect, margin: float = 0.0) -> list[LayoutBox]:
        left, top, right, bottom = rect
        return [
            box
            for box in self._boxes
            if left - margin < box.center_x < right + margin and top - margin < box.center_y < bottom + margin
        ]

    # --- labels --------------------------------------------------------------------------------------------

    def _labels(self, rect: Rect) -> list[LayoutBox]:
        """Return the boxes in a figure, and the labels around it, such as those of its axes."""
        labels = self._inside(rect)
        for _ in range(MAX_LABEL_ROUNDS):
            added = self._labels_around(rect, labels)
            if not added:
                break
            labels += added
            rect = union_rect([rect, bounding_rect(added)])
        return labels

    def _is_apart(self, box: LayoutBox, max_width: float) -> bool:
        """Return whether a box is narrow, and not the last line of a paragraph."""
        return box.width < max_width and not any(
            other.index in self._prose
            and abs(other.left - box.left) < box.text_height / 2
            and abs(other.center_y - box.center_y) < MAX_LINE_PITCH * box.text_height
            for other in self._boxes
        )

    def _labels_around(self, rect: Rect, labels: Sequence[LayoutBox]) -> list[LayoutBox]:
        """Return boxes at a figure that are short or upright, or that are drawn with its labels."""
        known = {box.index for box in labels}
        places = [place for box in labels if (place := self._page.place(box)) is not None] or [-1]
        first, last = min(places) - MAX_PLACE_STEP, max(places) + MAX_PLACE_STEP
        max_width = MAX_LABEL_WIDTH * (rect[2] - rect[0])
        return [
            box
            for box in self._boxes
            if _distance(rect, box) < MAX_LABEL_GAP * self._body
            and box.index not in known
            and box.index not in self._prose
            and box.text_height < MAX_LABEL_SIZE * self._body
            and (
                len(self._page.text(box)) <= MAX_TICK_CHARACTERS
                or box.height > 2 * box.width
                or (first < (self._page.place(box) or 0) < last and self._is_apart(box, max_width))
            )
        ]


# --- rectangles --------------------------------------------------------------------------------------------


def _merged(clusters: Sequence[_Cluster], gap: float) -> list[_Cluster]:
    """Merge clusters whose rectangles are nearer than a gap, until none are; a sweep from left to right."""
    found = list(clusters)
    while True:
        merged: list[_Cluster] = []
        for cluster in sorted(found, key=lambda cluster: cluster.rect[0]):
            for other in reversed(merged):
                if _near(cluster.rect, other.rect, gap):
                    other.rect = union_rect([other.rect, cluster.rect])
                    other.seeds += cluster.seeds
                    other.images += cluster.images
                    other.parts += cluster.parts
                    break
            else:
                merged.append(cluster)
        if len(merged) == len(found):
            return merged
        found = merged


def _is_inside(rect: Rect, x: float, y: float) -> bool:
    return rect[0] <= x <= rect[2] and rect[1] <= y <= rect[3]


def _clipped(rect: Rect, frame: Rect) -> Rect:
    return max(rect[0], frame[0]), max(rect[1], frame[1]), min(rect[2], frame[2]), min(rect[3], frame[3])


def _contains(outer: Rect, inner: Rect) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _near(one: Rect, other: Rect, gap: float) -> bool:
    return (
        one[0] - gap <= other[2]
        and other[0] - gap <= one[2]
        and one[1] - gap <= other[3]
        and other[1] - gap <= one[3]
    )


def _distance(rect: Rect, box: LayoutBox) -> float:
    """Return the distance of a box from a rectangle, 0 if they overlap."""
    dx = max(rect[0] - box.right, box.left - rect[2], 0.0)
    dy = max(rect[1] - box.bottom, box.top - rect[3], 0.0)
    return max(dx, dy)
