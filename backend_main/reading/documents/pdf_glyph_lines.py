"""Glyphs on one baseline of a PDF page: chains that follow each other, and lines of them."""

from dataclasses import dataclass, field
from operator import attrgetter

from .pdf_characters import Glyph

# In font sizes.
MAX_BASELINE_DISTANCE = 0.15
"""Glyphs of one line have baselines as near."""

START = attrgetter("start")
"""Sort key of glyphs along their line."""


@dataclass
class Chain:
    """Glyphs that follow each other on one baseline."""

    glyphs: list[Glyph]

    @property
    def start(self) -> float:
        return min(glyph.start for glyph in self.glyphs)

    @property
    def end(self) -> float:
        return max(glyph.end for glyph in self.glyphs)

    @property
    def baseline(self) -> float:
        return self.glyphs[0].baseline

    @property
    def size(self) -> float:
        return max(glyph.size for glyph in self.glyphs)


@dataclass
class GlyphLine:
    """A baseline with its glyphs. `scripts` are raised or lowered ones, which stay together."""

    baseline: float
    size: float
    glyphs: list[Glyph]
    scripts: list[Chain] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    def sort(self) -> None:
        """Sort the glyphs along the line, and set `starts`."""
        self.glyphs.sort(key=START)
        self.starts = [glyph.start for glyph in self.glyphs]
