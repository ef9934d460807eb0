"""Text layers made of words at given places, in the manner of a page that a program drew."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from backend_main.reading.born_digital.assembly import DigitalAssembly
from backend_main.reading.born_digital.document_context import DocumentContext
from backend_main.reading.documents.pdf_graphics import NO_GRAPHICS, Graphics
from backend_main.reading.documents.pdf_text_layer import TextLayer, TextRun
from backend_main.reading.documents.styled_text import FontStyle, Script, TextPiece, TextStyle, text_of_pieces
from backend_main.reading.types import level_box

WIDTH, HEIGHT = 1650, 2200
SIZE = 30.0
"""Size of running text: 11 points at 200 dpi."""
LETTER_WIDTH, SPACE = 0.5, 0.25
"""In sizes; all letters are as wide."""
MONOSPACED_WIDTH = 0.6
ASCENT, DESCENT = 0.76, 0.22
PITCH = 1.2
BOLD = FontStyle("Serif-Bold", is_bold=True)
ITALIC = FontStyle("Serif-Italic", is_italic=True)
CODE = FontStyle("Mono", is_monospaced=True)
SERIF = FontStyle("Serif")
LEFT, RIGHT = 150.0, 1500.0
TOP = 300.0


@dataclass
class DrawnPage:
    """A page that is drawn line by line; `y` is the baseline of the next line."""

    y: float = TOP
    runs: list[TextRun] = field(default_factory=list)
    graphics: Graphics = NO_GRAPHICS

    def line(
        self,
        text: str | Sequence[tuple[str, FontStyle]],
        *,
        x: float = LEFT,
        size: float = SIZE,
        font: FontStyle = SERIF,
        gap: float = 0.0,
        script: Script = "",
    ) -> "DrawnPage":
        """Draw a line. `text` may have parts in other fonts; `gap` is space above it, in sizes of text."""
        self.y += (PITCH * size if self.runs else 0.0) + gap * SIZE
        return self.beside(text, x=x, size=size, font=font, script=script)

    def beside(
        self,
        text: str | Sequence[tuple[str, FontStyle]],
        *,
        x: float,
        size: float = SIZE,
        font: FontStyle = SERIF,
        script: Script = "",
    ) -> "DrawnPage":
        """Draw a run on the line that was drawn last."""
        parts = [(text, font)] if isinstance(text, str) else text
        pieces: list[TextPiece] = []
        start = x
        for part, part_font in parts:
            width = (MONOSPACED_WIDTH if part_font.is_monospaced else LETTER_WIDTH) * size
            space = width if part_font.is_monospaced else SPACE * size
            for word in part.split():
                end = x + width * len(word)
                style = TextStyle(part_font, size)
                pieces.append(TextPiece(word, x, end, self.y, style, script, starts_word=True))
                x = end + space
        box = level_box(start, self.y - ASCENT * size, pieces[-1].right, self.y + DESCENT * size)
        self.runs.append(TextRun(text_of_pieces(pieces), box, tuple(pieces)))
        return self

    def paragraph(
        self,
        text: str,
        *,
        left: float = LEFT,
        right: float = RIGHT,
        size: float = SIZE,
        font: FontStyle = SERIF,
        indent: float = 0.0,
        hanging: float = 0.0,
        gap: float = 1.0,
    ) -> "DrawnPage":
        """Draw a text in as many lines as it needs; `indent`, `hanging` and `gap` are in sizes."""
        x = left + indent * size
        line: list[str] = []
        end = x
        for word in text.split():
            width = LETTER_WIDTH * size * len(word)
            if line and end + width > right:
                self.line(" ".join(line), x=x, size=size, font=font, gap=gap)
                line, gap = [], 0.0
                x = end = left + hanging * size
            line.append(word)
            end += width + SPACE * size
        return self.line(" ".join(line), x=x, size=size, font=font, gap=gap)

    def layer(self) -> TextLayer:
        return TextLayer(WIDTH, HEIGHT, tuple(self.runs), self.graphics)


def markdown_of(*pages: DrawnPage) -> str:
    """Return the Markdown of a document, page by page, with a blank line between pages."""
    layers = [page.layer() for page in pages]
    context = DocumentContext(len(layers), lambda number: layers[number - 1])
    return "\n\n".join(
        DigitalAssembly(layer, number, context).formatted().markdown for number, layer in enumerate(layers, 1)
    )


PROSE = (
    "The first edition of this survey describes the harbour and its people in great detail and at some "
    "length. A later one adds the names of all the ships that were built there before the river changed "
    "its course. Nobody knows for certain why the third edition was never printed, although the type had "
    "been set."
)
