"""Step 10 - one page, from its engine's lines to what becomes of it: what streams, stays, is warned of."""

from collections.abc import Iterator

from . import plain
from .arrange import Arranged
from .doubt import Doubt
from .engines import Anew, Engine
from .errors import EngineFailed, ReadingError
from .helpers import Helpers
from .pages import PageImage
from .types import Line, Options
from .writing import written


class Transcript:
    """`stream` reads the page; then `lines`, `written` and `warnings` are what is known of it for good."""

    def __init__(self, engine: Engine, page: PageImage, options: Options, helpers: Helpers) -> None:
        self._engine, self._page, self._options, self._helpers = engine, page, options, helpers
        self.lines: list[Line] = []
        self.written = Arranged("", "")
        self.warnings = list(page.warnings)
        self._doubt = Doubt()
        self._shown = self._muted = self._helped = False
        if engine.for_tests:
            self._doubt.settle()  # its lines are made up

    def stream(self) -> Iterator[Line]:
        """The lines that a person may see while the page is read; their text only grows."""
        for read in self._engine_lines():
            if isinstance(read, Anew):
                self._begin_anew()
                continue
            if read.markdown:
                self.lines.append(read)
            yield from self._show(self._doubt.add(read))
            if self._doubt.unreadable:
                yield from self._get_help()
                if self._helped:
                    return
        if self._doubt.undecided:
            yield from self._get_help()
        yield from self._show(self._doubt.settle())
        self._end()

    def _begin_anew(self) -> None:
        """What was shown stays until the page is done: within a page the text only grows."""
        self.lines.clear()
        self._doubt = Doubt()
        self._muted = self._shown

    def _show(self, lines: list[Line]) -> Iterator[Line]:
        for line in lines:
            if not self._muted:
                self._shown = True
                yield line

    def _get_help(self) -> Iterator[Line]:
        help_ = self._helpers.help(self._page, self._engine, self._options)
        self.warnings.append(help_.sentence)
        if help_.lines is None:
            yield from self._show(self._doubt.settle())
            return
        self._helped = True
        self._begin_anew()
        self.lines, self.written = help_.lines, help_.written
        self.warnings += help_.warnings
        yield from self._show(help_.lines)

    def _end(self) -> None:
        if self._helped:
            return
        self.warnings += self._engine.warnings()
        if self._doubt.partly:
            printed = f"{self._doubt.share:.0%} of what is printed on page {self._page.number}"
            self.warnings.append(f"About {printed} was read with little confidence.")
        self.written, told = written(self._engine, self._page, self.lines, self._options.threads)
        self.warnings += told
        if self._engine.streams_tokens and not any(line.box for line in self.lines):
            self.lines = whole_lines(self._page.number, self.written.markdown)

    def _engine_lines(self) -> Iterator[Line | Anew]:
        try:
            yield from self._engine.read_page(self._page)
        except ReadingError:
            raise
        except Exception as error:
            raise EngineFailed(f"The reading engine failed on page {self._page.number}.") from error


def whole_lines(number: int, markdown: str) -> list[Line]:
    """The lines of a page that came in pieces; their Markdown joined is the page's."""
    lines, gap = [], ""
    for row in markdown.split("\n"):
        if row.strip():
            lines.append(Line(number, plain.reading_text(row), gap + row))
            gap = ""
        gap += "\n"
    return lines
