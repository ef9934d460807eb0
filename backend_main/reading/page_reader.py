"""Reading of one page: lines that stream, and the final text and warnings."""

import logging
from collections.abc import Generator, Iterator
from functools import partial

from .confidence import ReadabilityMonitor
from .documents.document import PageImage
from .engines import Engine, PageFailed, PageRestarted
from .errors import EngineFailed, ReadingError
from .fallback import FallbackEngines
from .likely_words import with_likely_words
from .lost_letters import reread_lost_letters
from .other_script_words import reread_other_script_words
from .other_scripts import reread_other_scripts, script_of_page
from .output.formatted_page import FormattedPage
from .output.plain_text import to_plain_text
from .page_assembly import AssemblySettings, finalize_page
from .recognized_formulas import recognized_formula_share
from .small_print import small_print_warning
from .types import Line, Options, PageWarning, to_page_warning
from .unread_ink import UnreadInk, ink_beside_lines, read_unread_ink
from .warning_codes import WarningCode

_log = logging.getLogger("scanrill.reading")


class PageReader:
    """Reader of one page. `lines`, `formatted` and `warnings` are final once `stream` is exhausted."""

    def __init__(
        self,
        engine: Engine,
        page: PageImage,
        options: Options,
        fallback: FallbackEngines,
        settings: AssemblySettings | None = None,
    ) -> None:
        """Args: `settings` of the assembly; None: those of the options, without other pages."""
        self._engine = engine
        self._page = page
        self._options = options
        self._fallback = fallback
        self._settings = settings or AssemblySettings.of(options)
        self.lines: list[Line] = []
        self.formatted = FormattedPage("", "")
        self.warnings = list(page.warnings)
        self._readability = ReadabilityMonitor()
        self._has_emitted = False
        self._is_suppressed = False
        self._has_unread_warning = False
        self._waits_for_lines = False
        """Its lines are read one by one, once all are known."""
        self._all_lines: list[Line] = []
        """Lines with and without text."""

    def stream(self) -> Iterator[Line]:
        """Yield the lines to show while the page is read. The shown text only grows.

        Raises:
            ReadingError: the page cannot be read at all.
        """
        try:
            yield from self._stream_from(self._engine)
        except PageFailed as error:
            _log.warning("Page %d: %s.", self._page.number, error)
            yield from self._stream_after_failure(error)

    def formula_share(self) -> float:
        """Return the share of the page that is in formulas, once `stream` is exhausted."""
        return 0.0 if self._engine.is_test_engine else recognized_formula_share(self.lines)

    def _stream_from(self, engine: Engine) -> Iterator[Line]:
        if engine.is_test_engine:
            self._readability.accept_all()  # its lines have nothing to do with the image
        for item in self._engine_output(engine):
            if isinstance(item, PageRestarted):
                self._restart()
                continue
            self._all_lines.append(item)
            if item.markdown:
                self.lines.append(item)
            yield from self._emit(self._readability.add(item))
            if self._readability.is_unreadable and (yield from self._reread(engine)):
                return
        if self._readability.is_short_and_unreadable and (yield from self._reread(engine)):
            return
        yield from self._finish(engine)

    def _engine_output(self, engine: Engine) -> Iterator[Line | PageRestarted]:
        try:
            yield from engine.read_page(self._page)
        except (ReadingError, PageFailed):
            raise
        except Exception as error:
            raise EngineFailed(f"The engine “{engine.name}” failed on page {self._page.number}.") from error

    def _restart(self) -> None:
        """Discard the lines so far. If any was shown, it stays, and no further one is shown."""
        self.lines.clear()
        self._all_lines.clear()
        self._readability = ReadabilityMonitor()
        self._is_suppressed = self._has_emitted

    def _emit(self, lines: list[Line]) -> Iterator[Line]:
        if lines and not (self._is_suppressed or self._waits_for_lines):
            self._has_emitted = True
            yield from lines

    def _reread(self, engine: Engine) -> Generator[Line, None, bool]:
        """Read an unreadable page with another engine. Returns whether that gave the final text."""
        result = self._fallback.reread_page(
            self._page, engine, self._options, self._settings, partial(self._script_of_lines, engine)
        )
        if result.warning is None:
            self._readability.accept_all()
            self._waits_for_lines = True
            return False
        self.warnings.append(result.warning)
        if result.page is None:
            self._has_unread_warning = True
            yield from self._emit(self._readability.accept_all())
            return False
        self._restart()
        self.lines = result.page.lines
        self.formatted = result.page.formatted
        self.warnings += result.page.warnings
        self.warnings += ink_beside_lines(self._page, self.lines).warnings(self.lines, self.warnings)
        yield from self._emit(self.lines)
        return True

    def _script_of_lines(self, engine: Engine) -> str | None:
        return script_of_page(self._page, self._all_lines, engine, self._options, self._fallback)

    def _stream_after_failure(self, failure: PageFailed) -> Iterator[Line]:
        """Read the page with the fallback engine; if there is none, keep the text so far."""
        lines = list(self.lines)
        warning_count = len(self.warnings)
        try:
            if fallback := self._fallback.for_failed_page(self._engine, self._options):
                message = f"Page {self._page.number}: {failure}; “{fallback.name}” read it instead."
                self.warnings.append(PageWarning(WarningCode.FALLBACK_ENGINE, message))
                self._restart()
                yield from self._stream_from(fallback)
                return
        except Exception as error:
            _log.error("The fallback engine could not read page %d.", self._page.number, exc_info=error)
            self._restart()
            self.lines = lines
            self._all_lines = list(lines)
            del self.warnings[warning_count:]
        yield from self._finish(self._engine)
        if not self.formatted.markdown:
            raise EngineFailed(f"Page {self._page.number} could not be read: {failure}.") from failure
        message = f"Page {self._page.number}: {failure}; its text up to there is kept."
        self.warnings.append(PageWarning(WarningCode.INCOMPLETE_PAGE, message))

    def _finish(self, engine: Engine) -> Iterator[Line]:
        yield from self._emit(self._readability.accept_all())
        self.warnings += map(to_page_warning, engine.warnings())
        unsure_words = engine.unsure_words()
        ink = yield from self._read_unread_ink(engine)
        self._reread_other_scripts(engine)
        self.lines = with_likely_words(self.lines, unsure_words)
        if self._waits_for_lines:
            self._waits_for_lines, self._is_suppressed = False, self._has_emitted
            yield from self._emit(self.lines)
        elif self._is_uncertain():
            self.warnings.append(self._low_confidence())
        self.formatted, warnings = finalize_page(engine, self._page, self.lines, self._settings)
        self.warnings += warnings
        if ink is not None:
            self.warnings += ink.warnings(self.lines, self.warnings)
        if not engine.is_test_engine and (small := small_print_warning(self._page.number, self.lines)):
            self.warnings.append(small)
        if engine.streams_tokens and not any(line.box for line in self.lines):
            self.lines = lines_from_markdown(self._page.number, self.formatted.markdown)

    def _is_uncertain(self) -> bool:
        is_short = self._readability.is_short_and_uncertain and bool(self.lines)
        return is_short or self._readability.is_partly_unreadable

    def _read_unread_ink(self, engine: Engine) -> Generator[Line, None, UnreadInk | None]:
        """Read the ink that no line covers, unless the engine cannot read most of the page."""
        if engine.is_test_engine:
            return None
        if self._has_unread_warning or self._waits_for_lines:
            return ink_beside_lines(self._page, self._all_lines)
        ink = read_unread_ink(self._page, self._all_lines, engine)
        self._all_lines = ink.all_lines(self._all_lines)
        if ink.read:
            self.lines = [line for line in self._all_lines if line.text]
            yield from self._emit(ink.read)
        return ink

    def _low_confidence(self) -> PageWarning:
        share = 1.0 if self._readability.is_short_and_uncertain else self._readability.low_confidence_share
        amount = f"About {share:.0%} of" if share < 1 else "All"
        return PageWarning(
            WarningCode.LOW_CONFIDENCE,
            f"{amount} the print on page {self._page.number} was read with low confidence.",
            self._readability.uncertain_boxes,
            share,
        )

    def _reread_other_scripts(self, engine: Engine) -> None:
        """Replace lines in a script or a language that the engine does not read."""
        if engine.is_test_engine or not engine.provides_boxes or self._has_unread_warning:
            return
        for reread_lines in (reread_other_scripts, reread_other_script_words, reread_lost_letters):
            reread = reread_lines(self._page, self._all_lines, engine, self._options, self._fallback)
            if reread is not None:
                self._all_lines = reread.lines
                self.lines = [line for line in reread.lines if line.text]
                self.warnings += reread.warnings


def lines_from_markdown(number: int, markdown: str) -> list[Line]:
    """Split the Markdown of a page into lines whose `markdown` joined is the page's.

    Args:
        number: number of the page.
        markdown: Markdown of the page.
    """
    lines = []
    separator = ""
    for row in markdown.split("\n"):
        if row.strip():
            lines.append(Line(number, to_plain_text(row), separator + row))
            separator = ""
        separator += "\n"
    return lines
