"""Read options of an upload: engine, languages, pages, profile, furniture, formulas, barcodes
and priority.

`validate` checks them before anything is stored. `Upload.read_options` stores the options that the user
named; the settings decide the others each time the upload is read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...reading import (
    Options,
    ReadingError,
    UnsupportedOption,
    engines,
)
from ...reading.languages import language_names, normalize_code
from ...reading.page_ranges import PageRanges, no_such_pages_message
from ...reading.types import FormulaOption, FurnitureOption
from ..conf import conf
from ..errors import RequestError
from ..protocol.field_types import Priority

OPTIONS_OF_ANY_ENGINE = frozenset({"furniture", "formulas", "barcodes", "priority"})
"""Options that neither select an engine nor depend on it."""
DEFAULT_FURNITURE: FurnitureOption = "drop"
DEFAULT_FORMULAS: FormulaOption = "text"
DEFAULTS = {"furniture": DEFAULT_FURNITURE, "formulas": DEFAULT_FORMULAS, "barcodes": False}


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Read options that a user named; None means not named.

    Attributes:
        pages: Pages that the text shall contain, as `PageRanges` parses them.
        reread_pages: Pages that a retry named. Only these are read; the others keep their text.
    """

    engine: str | None = None
    languages: list[str] | None = None
    pages: str | None = None
    profile: str | None = None
    furniture: FurnitureOption | None = None
    formulas: FormulaOption | None = None
    barcodes: bool | None = None
    priority: Priority | None = None
    reread_pages: str | None = msgspec.field(default=None, name="anew")  # the key in stored rows

    def merged_with(self, stored: ReadOptions) -> ReadOptions:
        """Return the options of a retry: these, completed by those that are stored.

        Named pages become `reread_pages`, and part of the text. Another engine drops the stored profile,
        since each engine has profiles of its own.
        """
        kept = msgspec.to_builtins(stored)
        if self.engine is not None and self.engine != stored.engine:
            kept.pop("profile", None)
        merged = from_stored(kept | msgspec.to_builtins(self))
        return msgspec.structs.replace(merged, pages=stored.pages, reread_pages=self.pages)

    def for_all_pages(self) -> ReadOptions:
        """Return these options without the limit to `reread_pages`."""
        return msgspec.structs.replace(self, reread_pages=None)

    def model_fields(self) -> dict[str, Any]:
        """Return the fields of an `Upload` that store these options.

        Without an option that concerns the engine, the engine is left out: a reader selects it when it
        starts.
        """
        named = msgspec.to_builtins(msgspec.structs.replace(self, pages=_pages_of_text(self) or None))
        fields: dict[str, Any] = {"read_options": named}
        if named.keys() - OPTIONS_OF_ANY_ENGINE:
            fields |= {"engine": resolve_engine(self), "languages": language_codes(self)}
        return fields


def validate(options: ReadOptions) -> None:
    """Check that this server can read with the options.

    Raises:
        RequestError: On the field whose value is not possible here.
    """
    if not msgspec.to_builtins(options).keys() - OPTIONS_OF_ANY_ENGINE:
        return
    if options.engine is not None:
        if options.engine not in selectable_engines():
            known = ", ".join(selectable_engines())
            raise RequestError({"engine": f"Unknown engine “{options.engine}”. Available: {known}."})
        if reason := engines.unavailable_reason(options.engine):
            message = f"The engine “{options.engine}” is not available here: {reason}"
            raise RequestError({"engine": message})
    elif options.languages and not _engines_supporting(options.languages):
        known = language_names(set[str]().union(*map(_supported_languages, _candidates())) - {""})
        message = f"No engine installed here reads {' and '.join(options.languages)}."
        raise RequestError({"languages": f"{message} Supported languages: {known}."})
    engine = resolve_engine(options)
    try:
        engines.validate_options(engines.engine_class(engine), engine_options(options, engine))
        PageRanges(_pages_of_text(options))  # the pages of a retry can make this text too long
    except UnsupportedOption as error:
        raise RequestError({error.option: str(error)}) from None
    except ValueError as error:
        raise RequestError({"pages": str(error)}) from None
    except ReadingError as error:  # the configured engine is broken
        raise RequestError({"engine": str(error)}) from None


def is_satisfied_by(requested: ReadOptions, stored: ReadOptions, engine: str) -> bool:
    """Return whether a reading has what a request asks for.

    An option that the request does not name may have any value, but for the pages: all of them are wanted.

    Args:
        stored: Options of the reading.
        engine: Its engine; empty: no reader has selected it yet.
    """
    if str(PageRanges(requested.pages or "")) != str(PageRanges(_pages_of_text(stored))):
        return False
    wanted = msgspec.to_builtins(requested)
    had = DEFAULTS | msgspec.to_builtins(stored) | {"engine": engine or resolve_engine(stored)}
    for options, of in ((wanted, requested), (had, stored)):
        if "languages" in options:
            options["languages"] = sorted(language_codes(of))
    return all(wanted[name] == had.get(name) for name in wanted.keys() - {"pages", "priority"})


def check_pages_exist(options: ReadOptions, page_count: int | None) -> None:
    """Check that a retry names at least one page of the document.

    Args:
        page_count: Pages of the document; None if unknown, then the check passes.

    Raises:
        RequestError: On `pages`.
    """
    if options.reread_pages and page_count and not PageRanges(options.reread_pages).last_page(page_count):
        raise RequestError({"pages": no_such_pages_message(options.reread_pages, page_count)})


def from_stored(stored: dict[str, Any]) -> ReadOptions:
    """Decode the value of `Upload.read_options`."""
    return msgspec.convert(stored, ReadOptions)


def resolve_engine(options: ReadOptions) -> str:
    """Return the named engine, else the configured one, or another that supports the languages."""
    if options.engine or not options.languages:
        return options.engine or conf.engine
    supporting = _engines_supporting(options.languages)
    return supporting[0] if supporting else conf.engine


def engine_options(options: ReadOptions, engine: str) -> Options:
    """Return the options that a reader passes to the engine for each page of an upload."""
    return Options(
        engine=engine,
        languages=tuple(language_codes(options)),
        profile=options.profile or "",
        furniture=options.furniture or DEFAULT_FURNITURE,
        formulas=options.formulas or DEFAULT_FORMULAS,
        barcodes=bool(options.barcodes),
        pages=pages_to_read(options),
        max_pixels=conf.max_pixels,
        max_pages=conf.max_pages,
        page_seconds=conf.page_seconds,
    )


def pages_to_read(options: ReadOptions) -> str:
    """Return the page ranges that a reader reads; the other pages keep their text."""
    return options.pages or "" if options.reread_pages is None else options.reread_pages


def job_priority(options: ReadOptions) -> int:
    """Return the value of `Job.priority`; readers take lower values first."""
    return int(options.priority == "batch")


def language_codes(options: ReadOptions) -> list[str]:
    """Return the named languages as ISO 639-1 codes, without duplicates."""
    return list(dict.fromkeys(map(normalize_code, options.languages or [])))


def selectable_engines() -> list[str]:
    """Return the engines that a user may name: all but test engines, and the configured one in any case."""
    return [
        name for name in engines.known_engines() if name == conf.engine or not engines.is_test_engine(name)
    ]


def _pages_of_text(options: ReadOptions) -> str:
    """Return the page ranges that the text contains after this reading."""
    pages = options.pages or ""
    if options.reread_pages is None:
        return pages
    return str(PageRanges(pages) | PageRanges(options.reread_pages))


def _engines_supporting(languages: list[str]) -> list[str]:
    """Return the engines that support all the languages, the configured one first.

    Remote engines are left out: a page leaves this machine only if the user names the engine or it is
    configured.
    """
    codes = set(map(normalize_code, languages))
    return [name for name in _candidates() if not (known := _supported_languages(name)) or codes <= known]


def _candidates() -> list[str]:
    others = [name for name in selectable_engines() if name != conf.engine and engines.is_local(name)]
    return [conf.engine, *(name for name in others if not engines.unavailable_reason(name))]


def _supported_languages(name: str) -> frozenset[str]:
    """Return the languages of an engine; empty if it supports any."""
    try:
        return engines.engine_class(name).supported_languages()
    except ReadingError:
        return frozenset({""})  # a broken engine supports no language
