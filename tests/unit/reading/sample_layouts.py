"""Sample pages as boxes of lines."""

import math

from backend_main.reading.types import Box


def box(x: float, y: float, width: float, height: float = 20) -> Box:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def transformed(box: Box, dx: float = 0, dy: float = 0, scale: float = 1, degrees: float = 0) -> Box:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    first, second, third, fourth = [
        ((x * cosine - y * sine) * scale + dx, (x * sine + y * cosine) * scale + dy) for x, y in box
    ]
    return (first, second, third, fourth)


def receipt(rows: int) -> list[Box]:
    """Return an item and its price in each row; the length of the name varies."""
    return [
        part
        for row in range(rows)
        for part in (box(10, 30 * row, 90 + row * 37 % 140), box(400, 30 * row, 60))
    ]


def columns(count: int, lines: int, width: float = 300, gutter: float = 40, step: float = 26) -> list[Box]:
    return [
        box(column * (width + gutter), line * step, width if line % 5 != 4 else width * 0.6)
        for column in range(count)
        for line in range(lines)
    ]


SAMPLE_LAYOUTS = {
    "receipt": receipt(12),
    "two columns": columns(2, 12),
    "three columns": columns(3, 8),
    "a title over two columns": [box(100, -80, 440, 40), *columns(2, 12)],
}
