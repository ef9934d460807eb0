"""A glyph of a PDF page."""

from dataclasses import dataclass

from .styled_text import BLACK, PLAIN, FontStyle, Script


@dataclass(slots=True)
class Glyph:
    """A glyph in the frame of its line: `start` and `end` run along the line, `baseline` across, upwards.

    All in points. `text` has several characters for a ligature. A drawn space is a glyph; a gap is none.
    `style` is equal for glyphs of one font and size.
    """

    text: str
    start: float
    end: float
    baseline: float
    size: float
    style: tuple[int, float]
    angle: float
    """Rotation of the line, counter-clockwise, in radians."""
    index: int
    """Place in the content of the page."""
    text_object: int
    """Identifier of the object that draws the glyph: a word or a stretch of a line, or a single glyph."""
    font: FontStyle = PLAIN
    color: int = BLACK
    """0xRRGGBB."""
    script: Script = ""
    link: str | None = None
    """Address of the link on the glyph."""

    @property
    def is_space(self) -> bool:
        return self.text == " "
