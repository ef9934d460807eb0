"""Born-digital pages for tests: text and drawing at given places, in the order in which they are added."""

from dataclasses import dataclass, field, replace

from backend_main.reading.born_digital.page import DigitalPage
from backend_main.reading.documents.pdf_graphics import Fill, Graphics, Rect, Rule
from backend_main.reading.documents.pdf_text_layer import TextLayer, TextRun
from backend_main.reading.documents.styled_text import TextPiece, TextStyle
from backend_main.reading.types import level_box

SIZE, PITCH, LETTER = 20.0, 26.0, 10.0
WIDTH, HEIGHT = 1000, 1400


@dataclass
class PageBuilder:
    """Builder of a page of 1000 × 1400 pixels; a letter is 10 wide and 20 high."""

    runs: list[TextRun] = field(default_factory=list)
    graphics: Graphics = field(default_factory=Graphics)

    def text(self, left: float, top: float, text: str, size: float = SIZE) -> None:
        """Add a line of text."""
        place = sum(len(run.text) + 1 for run in self.runs)
        style = TextStyle(size=size)
        pieces, x = [], left
        for word in text.split():
            width = len(word) * LETTER * size / SIZE
            pieces.append(TextPiece(word, x, x + width, top + 0.8 * size, style))
            x += width + LETTER
        box = level_box(left, top, x - LETTER, top + size)
        self.runs.append(TextRun(text, box, tuple(pieces), place))

    def paragraph(self, left: float, top: float, width: float, lines: int, word: str = "words") -> None:
        """Add lines of a paragraph that fill a width; the last one is shorter."""
        count = int((width + LETTER) / (LETTER * (len(word) + 1)))
        for number in range(lines):
            last = number == lines - 1
            words = [word] * (count // 2 if last else count)
            words[0] = words[0].capitalize() if number == 0 else words[0]
            self.text(left, top + number * PITCH, " ".join(words) + "." * last)

    def rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.graphics = replace(self.graphics, rules=(*self.graphics.rules, Rule(x0, y0, x1, y1, 1.0)))

    def fill(self, *rect: float) -> None:
        fill = Fill((rect[0], rect[1], rect[2], rect[3]), 0xEEEEEE)
        self.graphics = replace(self.graphics, fills=(*self.graphics.fills, fill))

    def shape(self, *rect: float) -> None:
        self.graphics = replace(self.graphics, shapes=(*self.graphics.shapes, _rect(rect)))

    def frame(self, *rect: float) -> None:
        self.graphics = replace(self.graphics, frames=(*self.graphics.frames, _rect(rect)))

    def image(self, *rect: float) -> None:
        self.graphics = replace(self.graphics, images=(*self.graphics.images, _rect(rect)))

    def layer(self) -> TextLayer:
        return TextLayer(WIDTH, HEIGHT, tuple(self.runs), self.graphics)

    def page(self) -> DigitalPage:
        return DigitalPage(1, self.layer())


def _rect(sides: tuple[float, ...]) -> Rect:
    left, top, right, bottom = sides
    return left, top, right, bottom
