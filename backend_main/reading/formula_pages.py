"""Pages that are mostly formulas: the engine `vision` reads them, if the options of the read allow it.

The text of the page is complete before. It stays, with a warning, if the engine is not set up, fails, or
leaves words out.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from .born_digital.notes import append_notes
from .documents.document import PageImage
from .documents.pdf_text_layer import PageNote
from .engines import Engine, PageFailed, lines_after_restart
from .errors import EngineUnavailable, UnknownEngine
from .fallback import FallbackEngines
from .output.formatted_page import FormattedPage
from .output.plain_text import to_plain_text
from .page_structure.structured_page import structured_page
from .types import FORMULA_ENGINE, Options, PageDone, PageWarning
from .warning_codes import WarningCode

MIN_FORMULA_SHARE = 0.4
"""Share of the area of the text. Measured: at most 0.31 if formulas and paragraphs alternate, at least 0.43
if a line is between two formulas (docs/decisions/0126-pages-of-formulas.md)."""
WORD_START_LETTERS = 4
MIN_WORDS, MIN_COMMON_SHARE = 8, 0.5
"""A page with fewer words cannot be compared. Words may be joined or divided in one of the two texts."""
_WORD = re.compile(rf"[^\W\d_]{{{WORD_START_LETTERS},}}")
_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class FormulaPage:
    """A page that is read.

    `formula_share` returns the share of its text that is in formulas without LaTeX, `image` the page as an
    image. `started_at` is a time of `time.monotonic`.
    """

    done: PageDone
    formula_share: Callable[[], float]
    image: Callable[[], PageImage]
    notes: Sequence[PageNote]
    started_at: float


def reread_formulas(page: FormulaPage, options: Options, fallback: FallbackEngines) -> PageDone:
    """Return a page with the text that the engine `vision` reads, and a warning, if it is mostly formulas.

    Any other page is returned as it is, and so is every page if the options do not allow the engine. The
    lines stay: they have the places of the words.
    """
    if options.formulas != FORMULA_ENGINE or (share := page.formula_share()) < MIN_FORMULA_SHARE:
        return page.done
    number = page.done.number
    try:
        seconds = options.page_seconds - (time.monotonic() - page.started_at)
        formatted = _read(fallback.for_formulas(options, seconds), page)
    except (EngineUnavailable, UnknownEngine) as error:
        return _with_plain_formulas(page.done, str(error), share)
    except Exception as error:
        _log.warning("The engine %s could not read page %d.", FORMULA_ENGINE, number, exc_info=error)
        cause = str(error) if isinstance(error, PageFailed) else "an error occurred"
        reason = f"The engine “{FORMULA_ENGINE}” could not read it: {cause}."
        return _with_plain_formulas(page.done, reason, share)
    lines = [msgspec.structs.replace(line, span=None) for line in page.done.lines]
    blocks, located = structured_page(formatted, lines, page.done.height)
    done = msgspec.structs.replace(
        page.done, markdown=formatted.markdown, text=formatted.text, lines=located, blocks=blocks
    )
    message = f"Page {number} is mostly formulas; the engine “{FORMULA_ENGINE}” read it."
    return _with_warning(done, PageWarning(WarningCode.FORMULAS_REREAD, message, share=share))


def _with_plain_formulas(done: PageDone, reason: str, share: float) -> PageDone:
    message = f"Page {done.number} is mostly formulas, which may be wrong. {reason}"
    return _with_warning(done, PageWarning(WarningCode.PLAIN_FORMULAS, message, share=share))


def _with_warning(done: PageDone, warning: PageWarning) -> PageDone:
    return msgspec.structs.replace(done, warnings=[*done.warnings, warning])


def _read(engine: Engine, page: FormulaPage) -> FormattedPage:
    """Return the text of the engine. Raises PageFailed if it is cut off, or lacks words of the page."""
    image = page.image()
    lines = lines_after_restart(engine.read_page(image))
    if engine.warnings():
        raise PageFailed("its text is cut off")
    markdown = engine.final_markdown(image, lines)
    if not markdown or not _has_words_of(page.done.text, markdown):
        raise PageFailed("most words of the page are not in its text")
    return append_notes(FormattedPage(markdown, to_plain_text(markdown)), page.notes)


def _has_words_of(text: str, markdown: str) -> bool:
    starts = {word[:WORD_START_LETTERS] for word in _WORD.findall(text.lower())}
    lower = markdown.lower()
    found = starts & {lower[place : place + WORD_START_LETTERS] for place in range(len(lower))}
    return len(starts) < MIN_WORDS or len(found) >= MIN_COMMON_SHARE * len(starts)
