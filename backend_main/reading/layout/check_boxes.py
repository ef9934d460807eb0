"""Check boxes drawn on a page: squares of the size of letters, empty or with a mark.

The recognizer leaves them out, or reads them as letters. Four strokes show the frame; ink inside shows that
the box is checked. Each box belongs to the text on its right, or else to that on its left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..documents.pixels import Pixels
from .geometry import LayoutBox, PageFrame
from .text_joining import CJK, estimated_width

CHECKED, UNCHECKED = "\u2612", "\u2610"
"""Ballot boxes, which the Markdown shows as `[x]` and `[ ]`."""
TEXT_PIXELS, MAX_SIDE_PIXELS = 32, 3600
"""Scale of the image: height of the boxes of running text, but at most this longer side."""
MIN_TEXT_PIXELS = 12
"""Height of the boxes of running text below which frames and letters are the same."""
# In heights of the boxes of running text, which are a third higher than its font.
MIN_STROKE_LENGTH, MIN_SIDE, MAX_SIDE = 0.4, 0.5, 1.25
MAX_STROKE = 0.2
MAX_END = 0.15
"""Length of a mark's end beyond the frame."""
MAX_LABEL_DISTANCE = 2.0
MAX_ASPECT_RATIO = 1.3
MAX_CHECK_BOXES = 1000
"""More squares are a pattern; an answer sheet for 200 questions with 4 answers each has fewer."""
MIN_FRAME_SHARE, MIN_CORNER_SHARE = 0.92, 0.5
"""Share of each side of a frame that is drawn, and of each corner: a D has round ones."""
MIN_EDGE_SHARE = 0.5
"""Share of the first row of a frame that is drawn, unlike that of a mark beyond the frame."""
MARGIN_SHARE, MAX_OUTSIDE_SHARE = 0.35, 0.15
"""Margin beside a frame, in its width, and share of it with ink: a letter has neighbors, a mark is thin."""
INSIDE_SHARE, MIN_MARK_SHARE = 0.5, 0.06
"""Part of the sides that is inside a frame, and share of it that a mark covers."""
THRESHOLD_OFFSET = 24
"""Grey levels, of 255, by which a stroke is darker than its surroundings."""
SIGN_WIDTH = 3.0
"""Width of a check box with the space after it, in widths of a lower-case letter."""
NEAR_LEFT_SHARE = 0.4
"""Distance to the text on the left, by that to the one on the right, below which a box belongs left."""

_MISREAD = re.compile(r"^[☐☑☒■□口日回√✓✔×xXvVO0DCLU\[\]|•]{1,2}$")
"""Words that a check box is read as, where one stands."""

Mask = npt.NDArray[np.uint8]
Square = tuple[int, int, int, int]
"""Left, top, right and bottom."""


@dataclass(frozen=True)
class CheckBox:
    """A check box in the frame of the page."""

    left: float
    top: float
    right: float
    bottom: float
    is_checked: bool

    @property
    def center_x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def center_y(self) -> float:
        return (self.top + self.bottom) / 2


def find_check_boxes(pixels: Pixels, frame: PageFrame, text_height: float) -> list[CheckBox]:
    """Return the check boxes of a page.

    Args:
        pixels: the page, (height, width, 3) uint8 BGR.
        text_height: height of the boxes of running text, in pixels of the page.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = frame.bounds(width, height)
    scale = min(TEXT_PIXELS / text_height, MAX_SIDE_PIXELS / max(right - left, bottom - top))
    if scale * text_height < MIN_TEXT_PIXELS:
        return []
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    ink = _ink(frame.render(pixels, size), text_height * scale)
    found = []
    for square in _squares(ink, text_height * scale):
        x0, y0, x1, y1 = (side / scale for side in square)
        found.append(CheckBox(x0 + left, y0 + top, x1 + left, y1 + top, _has_mark(ink, square)))
    return found


def _ink(image: Pixels, text_height: float) -> Mask:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    window = 4 * round(text_height) + 1
    ink = cv2.adaptiveThreshold(
        grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, THRESHOLD_OFFSET
    )
    return np.asarray(ink, np.uint8)


def _squares(ink: Mask, text_height: float) -> list[Square]:
    """Return the squares that four strokes enclose, alone; none if they are a pattern."""
    import cv2

    length = max(3, round(MIN_STROKE_LENGTH * text_height))
    strokes = [
        np.asarray(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.uint8)
        for shape in ((1, length), (length, 1))
    ]
    lines = strokes[0] | strokes[1]
    count, _, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    low, high, stroke = (share * text_height for share in (MIN_SIDE, MAX_SIDE, MAX_END))
    found = []
    sides = stats[1:count, 2:4]
    may_be_square = (sides.min(axis=1) >= low) & (sides.max(axis=1) <= high + stroke)
    for x, y, width, height, _ in stats[1:count][may_be_square].tolist():
        square = _without_ends(ink, (x, y, x + width, y + height), stroke)
        shorter, longer = sorted((square[2] - square[0], square[3] - square[1]))
        is_square = low <= shorter and longer <= min(high, MAX_ASPECT_RATIO * shorter)
        if is_square and _is_frame(ink, square, max(2, round(MAX_STROKE * shorter))):
            found.append(square)
            if len(found) > MAX_CHECK_BOXES:
                return []
    return found


def _without_ends(ink: Mask, square: Square, longest: float) -> Square:
    """Return a square without the rows and columns outside its frame that the end of a mark reaches."""
    x0, y0, x1, y1 = square
    part = ink[y0:y1, x0:x1]
    rows, columns = (np.flatnonzero(part.mean(axis=axis) >= MIN_EDGE_SHARE) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return square
    inner = x0 + int(columns[0]), y0 + int(rows[0]), x0 + int(columns[-1]) + 1, y0 + int(rows[-1]) + 1
    ends = [abs(side - place) for side, place in zip(square, inner, strict=True)]
    return inner if max(ends) <= longest else square


def _is_frame(ink: Mask, square: Square, stroke: int) -> bool:
    """Return whether the sides and corners of a square are drawn, and little is beside it."""
    x0, y0, x1, y1 = square
    part = ink[y0:y1, x0:x1]
    sides = (part[:stroke], part[-stroke:], part[:, :stroke].T, part[:, -stroke:].T)
    if any(_straight_share(side) < MIN_FRAME_SHARE for side in sides):
        return False
    corner = stroke // 2 + 1
    corners = (
        part[:corner, :corner],
        part[:corner, -corner:],
        part[-corner:, :corner],
        part[-corner:, -corner:],
    )
    if any(block.mean() < MIN_CORNER_SHARE for block in corners):
        return False
    margin = max(2, round(MARGIN_SHARE * (x1 - x0)))
    beside = (ink[y0:y1, max(0, x0 - margin) : x0], ink[y0:y1, x1 : x1 + margin])
    return all(not strip.size or strip.mean() <= MAX_OUTSIDE_SHARE for strip in beside)


def _straight_share(side: Mask) -> float:
    """Return the share of a side that is drawn on two neighboring rows of pixels; a letter's is curved."""
    return float((side[:-1] | side[1:]).mean(axis=1).max())


def _has_mark(ink: Mask, square: Square) -> bool:
    x0, y0, x1, y1 = square
    margin_x, margin_y = (round((1 - INSIDE_SHARE) / 2 * side) for side in (x1 - x0, y1 - y0))
    inside = ink[y0 + margin_y : y1 - margin_y, x0 + margin_x : x1 - margin_x]
    return bool(inside.mean() >= MIN_MARK_SHARE) if inside.size else False


# --- texts -------------------------------------------------------------------------------------------------


def with_check_boxes(
    texts: Sequence[str], boxes: Sequence[LayoutBox], found: Sequence[CheckBox], text_height: float
) -> list[str]:
    """Return the texts of the boxes with a ballot box where a check box stands beside or in them."""
    labels: dict[int, list[CheckBox]] = {}
    tops, bottoms = (np.array([getattr(box, edge) for box in boxes]) for edge in ("top", "bottom"))
    for check_box in sorted(found, key=lambda box: box.center_x):
        is_level = (tops < check_box.center_y) & (check_box.center_y < bottoms)
        label = _label(check_box, [boxes[int(place)] for place in np.flatnonzero(is_level)], text_height)
        # Squares are letters in Chinese and Japanese.
        if label and not CJK.search(texts[label.index]):
            labels.setdefault(label.index, []).append(check_box)
    marked = list(texts)
    for box in boxes:
        if box.index in labels and not _ends_proof(texts[box.index]):
            marked[box.index] = _marked(texts[box.index], box, labels[box.index])
    return marked


def _ends_proof(text: str) -> bool:
    """Return whether a text is or ends with the square at the end of a proof."""
    return bool(re.search(r"(?:^|[.!?] )[□☐]$", text))


def _label(check_box: CheckBox, boxes: Sequence[LayoutBox], text_height: float) -> LayoutBox | None:
    """Return the box of the text that a check box belongs to, of those on its level."""
    level = [box for box in boxes if box.width > 0]
    if around := [box for box in level if box.left <= check_box.center_x <= box.right]:
        return around[0]
    reach = MAX_LABEL_DISTANCE * text_height
    rights = [box for box in level if 0 < box.left - check_box.center_x <= reach]
    lefts = [box for box in level if 0 < check_box.center_x - box.right <= reach]
    right = min(rights, key=lambda box: box.left, default=None)
    left = max(lefts, key=lambda box: box.right, default=None)
    if right is None or left is None:
        return right or left
    is_left = check_box.left - left.right < NEAR_LEFT_SHARE * (right.left - check_box.right)
    return left if is_left else right


def _marked(text: str, label: LayoutBox, check_boxes: Sequence[CheckBox]) -> str:
    """Return a text with ballot boxes in the places of its check boxes, instead of what they were read as."""
    words = text.split(" ")
    inside = sum(label.left < box.center_x < label.right for box in check_boxes)
    width = estimated_width(text) + inside * SIGN_WIDTH
    for check_box in check_boxes:
        sign = CHECKED if check_box.is_checked else UNCHECKED
        # The signs before it are in the words already.
        place = (check_box.center_x - label.left) / label.width * width
        starts = np.cumsum([0.0, *(_width(word) for word in words)])
        centers = (starts[:-1] + starts[1:]) / 2
        nearest = int(np.argmin(np.abs(centers - place)))
        if _MISREAD.match(words[nearest]):
            words[nearest] = sign
        else:
            words.insert(int(np.argmin(np.abs(starts + SIGN_WIDTH / 2 - place))), sign)
    return " ".join(words)


def _width(word: str) -> float:
    """Return the width of a word and the space after it."""
    return SIGN_WIDTH if word in (CHECKED, UNCHECKED) else estimated_width(word + " ")
