"""Step 10 - another engine for a page whose script the first cannot read, where one is installed that can.

Only engines of this machine help: no page is sent anywhere that nobody chose.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from . import languages
from .arrange import Arranged
from .doubt import UNREADABLE_SHARE, share_of
from .engines import Anew, Engine, engine_class, known_engines, load_engine
from .errors import EngineFailed
from .pages import PageImage
from .types import Line, Options
from .writing import written

MOST_LANGUAGES = 3
_log = logging.getLogger("scanrill.reading")


class Help(NamedTuple):
    """What became of a page that its engine could not read. No `lines`: nobody can, or nobody need.

    `sentence` is for the page's warnings.
    """

    sentence: str
    lines: list[Line] | None = None
    written: Arranged = Arranged("", "")
    warnings: Sequence[str] = ()


class Helpers:
    """The engines that help out in this process; each is loaded when it is first needed, and kept."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads
        self._loaded: dict[str, Engine | None] = {}

    def help(self, page: PageImage, engine: Engine, options: Options) -> Help:
        """For a page most of which made no sense to the engine."""
        script = self._script(page)
        if script is None:
            return Help(_no_sense(page.number, engine))
        if script in languages.scripts_of(engine.prepared_for()):
            return Help(_badly_printed(page.number, engine))
        for helper in self._reading(script, options):
            if (read := _read_with(helper, page, self._threads)) is not None:
                return Help(_helped(page.number, script, engine, helper), *read)
        return Help(_nobody(page.number, script, engine))

    def close(self) -> None:
        for engine in self._loaded.values():
            if engine is not None:
                engine.close()
        self._loaded.clear()

    def _script(self, page: PageImage) -> str | None:
        for name, kind in _at_hand():
            if kind.tells_script and (engine := self._load(name)) and (script := engine.script_of(page)):
                return script
        return None

    def _reading(self, script: str, options: Options) -> Iterator[Engine]:
        """Engines that read it, each told its languages: those asked for, or those that are installed."""
        for name, kind in _at_hand():
            codes = languages.of_script(script, kind.readable())
            if codes and (engine := self._load(name)):
                asked = [code for code in map(languages.code_of, options.languages) if code in codes]
                chosen = tuple((asked or codes)[:MOST_LANGUAGES])
                engine.prepare(msgspec.structs.replace(options, languages=chosen, profile=""))
                yield engine

    def _load(self, name: str) -> Engine | None:
        if name not in self._loaded:
            try:
                self._loaded[name] = load_engine(name, self._threads)
            except EngineFailed as error:
                _log.error("%s", error, exc_info=error)
                self._loaded[name] = None
        return self._loaded[name]


def _at_hand() -> list[tuple[str, type[Engine]]]:
    found = []
    for name in known_engines():
        try:
            kind = engine_class(name)
        except EngineFailed:
            continue
        if not (kind.for_tests or kind.sends_pages_away or kind.lacking()):
            found.append((name, kind))
    return found


def _read_with(
    helper: Engine, page: PageImage, threads: int
) -> tuple[list[Line], Arranged, list[str]] | None:
    """Its lines and Markdown, where they make more sense."""
    try:
        lines = _lines_of(helper, page)
        if not any(line.text for line in lines) or share_of(lines) >= UNREADABLE_SHARE:
            return None
        shown = [line for line in lines if line.text]
        return shown, *written(helper, page, shown, threads)
    except Exception as error:
        _log.error("the engine %s could not help on page %d", helper.name, page.number, exc_info=error)
        return None


def _lines_of(helper: Engine, page: PageImage) -> list[Line]:
    """Those that count: of a page that it began anew, only what came then."""
    lines: list[Line] = []
    for read in helper.read_page(page):
        if isinstance(read, Anew):
            lines.clear()
        else:
            lines.append(read)
    return lines


# ── sentences ────────────────────────────────────────────────────────────────────────────────────


def _helped(number: int, script: str, engine: Engine, helper: Engine) -> str:
    codes = languages.names(languages.of_script(script, helper.prepared_for()))
    unread = f", which the engine “{engine.name}” does not read" if helper.name != engine.name else ""
    return f"Page {number} is in {script} script{unread}; “{helper.name}” read it, as {codes}."


def _nobody(number: int, script: str, engine: Engine) -> str:
    return (
        f"Page {number} is in {script} script, which the engine “{engine.name}” does not read, and no other "
        f"engine that is installed here does: what it shows is not what is printed.{_advice(script)}"
    )


def _no_sense(number: int, engine: Engine) -> str:
    return (
        f"Most of page {number} made no sense to the engine “{engine.name}”: it is in a script that the "
        f"engine does not read, or badly printed. What it shows may not be what is printed.{_advice()}"
    )


def _badly_printed(number: int, engine: Engine) -> str:
    return f"Most of page {number} was read by the engine “{engine.name}” with little confidence."


def _advice(script: str = "") -> str:
    """What could be installed that would help."""
    for name in known_engines():
        try:
            kind = engine_class(name)
        except EngineFailed:
            continue
        if not (kind.for_tests or kind.sends_pages_away) and (advice := kind.advice(script)):
            return f" {advice}"
    return ""
