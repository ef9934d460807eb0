"""Step 10 - one page, from its engine's lines to what becomes of it: what streams, stays, is warned of."""

from collections.abc import Iterator

from .confidence import ReadabilityMonitor
from .documents.document import PageImage
from .engines import Engine, PageRestarted
from .errors import EngineFailed, ReadingError
from .fallback import FallbackEngines
from .output import plain_text
from .page_assembly import FormattedPage, finalize_page
from .types import Line, Options


class PageReader:
    """`stream` reads the page; then `lines`, `formatted` and `warnings` are what is known of it for good."""

    def __init__(self, engine: Engine, page: PageImage, options: Options, helpers: FallbackEngines) -> None:
        self._engine, self._page, self._options, self._fallback = engine, page, options, helpers
        self.lines: list[Line] = []
        self.formatted = FormattedPage("", "")
        self.warnings = list(page.warnings)
        self._readability = ReadabilityMonitor()
        self._shown = self._suppressed = self._was_reread = False
        if engine.is_test_engine:
            self._readability.accept_all()  # its lines are made up

    def stream(self) -> Iterator[Line]:
        """The lines that a person may see while the page is read; their text only grows."""
        for read in self._engine_lines():
            if isinstance(read, PageRestarted):
                self._restart()
                continue
            if read.markdown:
                self.lines.append(read)
            yield from self._emit(self._readability.add(read))
            if self._readability.is_unreadable:
                yield from self._try_fallback()
                if self._was_reread:
                    return
        if self._readability.is_short_and_unreadable:
            yield from self._try_fallback()
        yield from self._emit(self._readability.accept_all())
        self._end()

    def _restart(self) -> None:
        """What was shown stays until the page is done: within a page the text only grows."""
        self.lines.clear()
        self._readability = ReadabilityMonitor()
        self._suppressed = self._shown

    def _emit(self, lines: list[Line]) -> Iterator[Line]:
        for line in lines:
            if not self._suppressed:
                self._shown = True
                yield line

    def _try_fallback(self) -> Iterator[Line]:
        help_ = self._fallback.reread_page(self._page, self._engine, self._options)
        self.warnings.append(help_.warning)
        if help_.lines is None:
            yield from self._emit(self._readability.accept_all())
            return
        self._was_reread = True
        self._restart()
        self.lines, self.formatted = help_.lines, help_.formatted
        self.warnings += help_.warnings
        yield from self._emit(help_.lines)

    def _end(self) -> None:
        if self._was_reread:
            return
        self.warnings += self._engine.warnings()
        if self._readability.is_partly_unreadable:
            printed = (
                f"{self._readability.low_confidence_share:.0%} of what is printed on page {self._page.number}"
            )
            self.warnings.append(f"About {printed} was read with little confidence.")
        self.formatted, told = finalize_page(self._engine, self._page, self.lines, self._options.threads)
        self.warnings += told
        if self._engine.streams_tokens and not any(line.box for line in self.lines):
            self.lines = lines_from_markdown(self._page.number, self.formatted.markdown)

    def _engine_lines(self) -> Iterator[Line | PageRestarted]:
        try:
            yield from self._engine.read_page(self._page)
        except ReadingError:
            raise
        except Exception as error:
            raise EngineFailed(f"The reading engine failed on page {self._page.number}.") from error


def lines_from_markdown(number: int, markdown: str) -> list[Line]:
    """The lines of a page that came in pieces; their Markdown joined is the page's."""
    lines, gap = [], ""
    for row in markdown.split("\n"):
        if row.strip():
            lines.append(Line(number, plain_text.to_plain_text(row), gap + row))
            gap = ""
        gap += "\n"
    return lines
