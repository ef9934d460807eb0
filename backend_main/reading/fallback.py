"""Reading of a page with another engine, when the first one cannot read it.

There are three cases. Most of the page is in a script that the engine does not read: then a local engine that
reads the script is used, if one is installed. The engine fails on the page: then the engine that its
`fallback_engine` names is used. The page is mostly formulas: then `formula_pages.py` uses `vision`, if the
options allow it. A page goes to a remote engine only if the configuration or the options name it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from . import languages
from .confidence import UNREADABLE_SHARE, is_readable, low_confidence_share
from .documents.document import PageImage
from .engines import (
    DetectedScript,
    Engine,
    engine_class,
    known_engines,
    lines_after_restart,
    load_engine,
)
from .engines.rotated_page import rotate_upright, to_original_coordinates
from .errors import EngineFailed, ReadingError
from .output.formatted_page import FormattedPage
from .page_assembly import AssemblySettings, finalize_page
from .types import FORMULA_ENGINE, Box, Line, Options, PageWarning, level_box
from .warning_codes import WarningCode

MAX_LANGUAGES = 3
LATIN_LANGUAGE = "en"
"""Language of the Latin words on a page in another script."""
_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class RereadPage:
    """A page as a fallback engine read it."""

    lines: list[Line]
    formatted: FormattedPage
    warnings: Sequence[PageWarning]


@dataclass(frozen=True)
class FallbackResult:
    """Outcome of `FallbackEngines.reread_page`.

    warning: None if the lines of the page are to be read one by one (`other_scripts`).
    page: None if no engine reads the page better, or line by line only.
    """

    warning: PageWarning | None
    page: RereadPage | None = None


class FallbackEngines:
    """Fallback engines of one process. Each is loaded at its first use and stays loaded."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._engines: dict[str, Engine] = {}
        self._failed: set[str] = set()

    def for_failed_page(self, engine: Engine, options: Options) -> Engine | None:
        """Return the engine that `engine.fallback_engine` names, configured; None if it names no other.

        Raises:
            ReadingError: the named engine cannot be used.
        """
        name = engine.fallback_engine
        if name is None or name == engine.name:
            return None
        fallback = self._load(name)
        known = fallback.supported_languages()
        codes = [code for code in options.languages if languages.normalize_code(code) in known]
        _configure(fallback, options, codes)
        return fallback

    def for_formulas(self, options: Options, page_seconds: float) -> Engine:
        """Return the engine for pages that are mostly formulas, configured.

        Args:
            options: options of the read.
            page_seconds: what is left of the time limit of the page.

        Raises:
            ReadingError: the engine cannot be used.
        """
        engine = self._load(FORMULA_ENGINE)
        _configure(engine, msgspec.structs.replace(options, page_seconds=page_seconds), [])
        return engine

    def reread_page(
        self,
        page: PageImage,
        engine: Engine,
        options: Options,
        settings: AssemblySettings,
        find_script: Callable[[], str | None] | None = None,
    ) -> FallbackResult:
        """Read a page, most of which `engine` could not read, with an engine that reads its script.

        Args:
            page: the page.
            engine: the engine that could not read it.
            options: options of the read.
            settings: settings of the assembly.
            find_script: returns the script in which some lines of the page were read. It takes more time
                than the detection by the look of the page, and is right. None if lines are not available.
        """
        detected = self.detect_script(page)
        own = languages.scripts_of(engine.configured_languages())
        readings: dict[tuple[str, str], list[Line]] = {}
        for script, max_share in _candidates(detected, own, find_script):
            if script in languages.LINE_BY_LINE_SCRIPTS and find_script is not None:
                return FallbackResult(None)
            for fallback in self.engines_for_script(script, options, with_latin=True):
                key = (script, fallback.name)
                if key not in readings:
                    readings[key] = _read_lines(fallback, page)
                if (reread := _assembled(fallback, page, readings[key], settings, max_share)) is not None:
                    return FallbackResult(_reread_warning(page.number, script, engine, fallback), reread)
        return FallbackResult(self._unread_warning(page, engine, detected, own))

    def _unread_warning(
        self, page: PageImage, engine: Engine, detected: DetectedScript | None, own: frozenset[str]
    ) -> PageWarning:
        if detected is not None and detected.name in own:
            return _low_confidence(page, engine)
        # An engine for the detected script that cannot read the page shows that the detection is wrong.
        if detected is None or detected.name in self.readable_scripts():
            return _unread_page(page, engine)
        return _script_not_read(page, detected, engine)

    def close(self) -> None:
        """Close the loaded engines."""
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
        self._failed.clear()

    def detect_script(self, page: PageImage) -> DetectedScript | None:
        """Return the script of a page by its look; None if no engine can detect it."""
        for name, kind in _available_engines():
            if kind.detects_scripts:
                engine = self._load_or_log(name)
                if engine is not None and (script := engine.detect_script(page)):
                    return script
        return None

    def engines_for_script(
        self, script: str, options: Options, *, with_latin: bool = False
    ) -> Iterator[Engine]:
        """Yield engines that read a script, configured for the requested or for the installed languages.

        `with_latin` adds a Latin language, for names and numbers between the words. It doubles the time.
        """
        for name, kind in _available_engines():
            codes = languages.languages_using_script(script, kind.supported_languages())
            if codes and (engine := self._load_or_log(name)) is not None:
                requested = [languages.normalize_code(code) for code in options.languages]
                chosen = [code for code in requested if code in codes] or codes
                latin = (
                    [LATIN_LANGUAGE] if with_latin and LATIN_LANGUAGE in kind.supported_languages() else []
                )
                chosen = chosen[:MAX_LANGUAGES]
                # Tesseract prefers its first pack: “Name” became “Мате”, and words in Korean became “AS”.
                is_latin_first = script in languages.LOOK_ALIKE_SCRIPTS
                _configure(engine, options, [*latin, *chosen] if is_latin_first else [*chosen, *latin])
                yield engine

    def engine_for_language(self, code: str, options: Options) -> Engine | None:
        """Return a local engine that reads a language, configured for it; None if there is none."""
        for name, kind in _available_engines():
            if code in kind.supported_languages() and (engine := self._load_or_log(name)) is not None:
                _configure(engine, options, [code])
                return engine
        return None

    def language_hint(self, code: str) -> str:
        """Return a sentence about what would read a language, after a space; empty if nothing would."""
        hints = (kind.language_hint(code) for _, kind in _local_engines())
        return next((f" {hint}" for hint in hints if hint), "")

    def readable_scripts(self) -> frozenset[str]:
        """Return the scripts that local engines of this machine read."""
        return languages.scripts_of(
            code for _, kind in _available_engines() for code in kind.supported_languages()
        )

    def install_hint(self, script: str | None) -> str:
        """Return a sentence about what would read a script, after a space; empty if nothing would."""
        return _install_hint(script)

    def _load_or_log(self, name: str) -> Engine | None:
        """Return a loaded engine; None if it fails to load. A failed engine is not loaded a second time."""
        if name in self._failed:
            return None
        try:
            return self._load(name)
        except ReadingError as error:
            _log.error("%s", error, exc_info=error)
            self._failed.add(name)
            return None

    def _load(self, name: str) -> Engine:
        if name not in self._engines:
            self._engines[name] = load_engine(name, self._threads)
        return self._engines[name]


def _configure(engine: Engine, options: Options, codes: Sequence[str]) -> None:
    engine.configure(msgspec.structs.replace(options, languages=tuple(codes), profile=""))


def _available_engines() -> Iterator[tuple[str, type[Engine]]]:
    """Yield the local engines that this machine can run."""
    return ((name, kind) for name, kind in _local_engines() if not kind.unavailable_reason())


def _local_engines() -> Iterator[tuple[str, type[Engine]]]:
    for name in known_engines():
        try:
            kind = engine_class(name)
        except EngineFailed:
            continue
        if not (kind.is_test_engine or kind.is_remote):
            yield name, kind


def _candidates(
    detected: DetectedScript | None, own: frozenset[str], find_script: Callable[[], str | None] | None
) -> Iterator[tuple[str, float]]:
    """Yield scripts of a page, with the share of it that may have low confidence.

    An engine without confidence shows that a detected script is wrong. One in which lines were read is right.
    """
    if detected is not None and detected.name not in own:
        yield detected.name, UNREADABLE_SHARE
    if find_script is not None and (script := find_script()):
        yield script, 1.0


def _read_lines(engine: Engine, page: PageImage) -> list[Line]:
    """Return the lines of a page; none if the engine fails."""
    try:
        return _upright_lines(engine, page)
    except Exception as error:
        _log.error("The engine %s could not read page %d.", engine.name, page.number, exc_info=error)
        return []


def _assembled(
    engine: Engine, page: PageImage, lines: list[Line], settings: AssemblySettings, max_share: float
) -> RereadPage | None:
    """Return a page as an engine read it; None if it has low confidence in more than a share of it."""
    lines_with_text = [line for line in lines if line.text]
    if not lines_with_text or low_confidence_share(lines) > max_share:
        return None
    try:
        reread = RereadPage(lines_with_text, *finalize_page(engine, page, lines_with_text, settings))
    except Exception as error:
        _log.error("The engine %s could not read page %d.", engine.name, page.number, exc_info=error)
        return None
    if is_readable(lines):
        return reread
    return replace(reread, warnings=[*reread.warnings, _low_confidence(page, engine)])


def _upright_lines(engine: Engine, page: PageImage) -> list[Line]:
    """Return all lines of a page, read upside down if most are unreadable as they are and readable so.

    Tesseract reads level lines and lines on their side, and none upside down. If the first engine does not
    read the script, it cannot find out which way is up.
    """
    lines = lines_after_restart(engine.read_page(page))
    if is_readable(lines):
        return lines
    turned_lines = lines_after_restart(engine.read_page(rotate_upright(page, 2)))
    turned = list(to_original_coordinates(turned_lines, page, 2))
    return turned if is_readable(turned) else lines


# ── warnings ─────────────────────────────────────────────────────────────────────────────────────


def _low_confidence(page: PageImage, engine: Engine) -> PageWarning:
    message = f"The engine “{engine.name}” read most of page {page.number} with low confidence."
    return PageWarning(WarningCode.LOW_CONFIDENCE, message, (_whole_page(page),))


def _unread_page(page: PageImage, engine: Engine) -> PageWarning:
    return PageWarning(
        WarningCode.UNREAD_INK,
        f"The engine “{engine.name}” could not read most of page {page.number}: the print is bad, or in a "
        f"script that the engine does not read. The text may differ from the print.{_install_hint(None)}",
        (_whole_page(page),),
    )


def _script_not_read(page: PageImage, script: DetectedScript, engine: Engine) -> PageWarning:
    start = f"Page {page.number} {'is' if script.is_sure else 'may be'} in {script.name} script."
    return PageWarning(
        WarningCode.SCRIPT_NOT_READ,
        f"{start} Neither the engine “{engine.name}” nor another installed one reads it, so the text is not "
        f"what is printed.{_install_hint(script.name)}",
        (_whole_page(page),),
    )


def _reread_warning(number: int, script: str, engine: Engine, fallback: Engine) -> PageWarning:
    codes = languages.languages_using_script(script, fallback.configured_languages())
    unread = f", which the engine “{engine.name}” does not read" if fallback.name != engine.name else ""
    names = languages.language_names(codes)
    message = f"Page {number} is in {script} script{unread}; “{fallback.name}” read it, as {names}."
    return PageWarning(WarningCode.SCRIPT_REREAD, message)


def _whole_page(page: PageImage) -> Box:
    return level_box(0.0, 0.0, float(page.width), float(page.height))


def _install_hint(script: str | None) -> str:
    """Return a sentence about an engine that would read the page, after a space; empty if there is none."""
    hints = (kind.install_hint(script) for _, kind in _local_engines())
    return next((f" {hint}" for hint in hints if hint), "")
