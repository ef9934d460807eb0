"""Step 10 - another engine for a page whose script the first cannot read, where one is installed that can.

Only engines of this machine help: no page is sent anywhere that nobody chose.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from . import languages
from .confidence import UNREADABLE_SHARE, share_of
from .documents.document import PageImage
from .engines import (
    Engine,
    PageRestarted,
    engine_class,
    known_engines,
    load_engine,
)
from .errors import EngineFailed
from .page_assembly import FormattedPage, finalize_page
from .types import Line, Options

MAX_LANGUAGES = 3
_log = logging.getLogger("scanrill.reading")


class FallbackResult(NamedTuple):
    """What became of a page that its engine could not read. No `lines`: nobody can, or nobody need.

    `warning` is for the page's warnings.
    """

    warning: str
    lines: list[Line] | None = None
    formatted: FormattedPage = FormattedPage("", "")
    warnings: Sequence[str] = ()


class FallbackEngines:
    """The engines that help out in this process; each is loaded when it is first needed, and kept."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._loaded: dict[str, Engine | None] = {}

    def reread_page(self, page: PageImage, engine: Engine, options: Options) -> FallbackResult:
        """For a page most of which made no sense to the engine."""
        script = self._script(page)
        if script is None:
            return FallbackResult(_unreadable_warning(page.number, engine))
        if script in languages.scripts_of(engine.configured_languages()):
            return FallbackResult(_bad_print_warning(page.number, engine))
        for helper in self._engines_for_script(script, options):
            if (read := _read_with(helper, page, self._threads)) is not None:
                return FallbackResult(_reread_warning(page.number, script, engine, helper), *read)
        return FallbackResult(_no_engine_warning(page.number, script, engine))

    def close(self) -> None:
        for engine in self._loaded.values():
            if engine is not None:
                engine.close()
        self._loaded.clear()

    def _script(self, page: PageImage) -> str | None:
        for name, kind in _available_engines():
            if (
                kind.detects_scripts
                and (engine := self._load(name))
                and (script := engine.detect_script(page))
            ):
                return script
        return None

    def _engines_for_script(self, script: str, options: Options) -> Iterator[Engine]:
        """Engines that read it, each told its languages: those asked for, or those that are installed."""
        for name, kind in _available_engines():
            codes = languages.languages_using_script(script, kind.supported_languages())
            if codes and (engine := self._load(name)):
                asked = [code for code in map(languages.normalize_code, options.languages) if code in codes]
                chosen = tuple((asked or codes)[:MAX_LANGUAGES])
                engine.configure(msgspec.structs.replace(options, languages=chosen, profile=""))
                yield engine

    def _load(self, name: str) -> Engine | None:
        if name not in self._loaded:
            try:
                self._loaded[name] = load_engine(name, self._threads)
            except EngineFailed as error:
                _log.error("%s", error, exc_info=error)
                self._loaded[name] = None
        return self._loaded[name]


def _available_engines() -> list[tuple[str, type[Engine]]]:
    found = []
    for name in known_engines():
        try:
            kind = engine_class(name)
        except EngineFailed:
            continue
        if not (kind.is_test_engine or kind.is_remote or kind.unavailable_reason()):
            found.append((name, kind))
    return found


def _read_with(
    helper: Engine, page: PageImage, threads: int
) -> tuple[list[Line], FormattedPage, list[str]] | None:
    """Its lines and Markdown, where they make more sense."""
    try:
        lines = _lines_of(helper, page)
        if not any(line.text for line in lines) or share_of(lines) >= UNREADABLE_SHARE:
            return None
        shown = [line for line in lines if line.text]
        return shown, *finalize_page(helper, page, shown, threads)
    except Exception as error:
        _log.error("the engine %s could not help on page %d", helper.name, page.number, exc_info=error)
        return None


def _lines_of(helper: Engine, page: PageImage) -> list[Line]:
    """Those that count: of a page that it began anew, only what came then."""
    lines: list[Line] = []
    for read in helper.read_page(page):
        if isinstance(read, PageRestarted):
            lines.clear()
        else:
            lines.append(read)
    return lines


# ── sentences ────────────────────────────────────────────────────────────────────────────────────


def _reread_warning(number: int, script: str, engine: Engine, helper: Engine) -> str:
    codes = languages.language_names(languages.languages_using_script(script, helper.configured_languages()))
    unread = f", which the engine “{engine.name}” does not read" if helper.name != engine.name else ""
    return f"Page {number} is in {script} script{unread}; “{helper.name}” read it, as {codes}."


def _no_engine_warning(number: int, script: str, engine: Engine) -> str:
    return (
        f"Page {number} is in {script} script, which the engine “{engine.name}” does not read, and no other "
        f"engine that is installed here does: what it shows is not what is printed.{_install_hint(script)}"
    )


def _unreadable_warning(number: int, engine: Engine) -> str:
    return (
        f"Most of page {number} made no sense to the engine “{engine.name}”: it is in a script that the "
        f"engine does not read, or badly printed. What it shows may not be what is printed.{_install_hint()}"
    )


def _bad_print_warning(number: int, engine: Engine) -> str:
    return f"Most of page {number} was read by the engine “{engine.name}” with little confidence."


def _install_hint(script: str = "") -> str:
    """What could be installed that would help."""
    for name in known_engines():
        try:
            kind = engine_class(name)
        except EngineFailed:
            continue
        if not (kind.is_test_engine or kind.is_remote) and (advice := kind.install_hint(script)):
            return f" {advice}"
    return ""
