"""Step 6 — what is asked of a reading beside its file: engine, languages, pages, profile, priority.

All of it is checked before anything is stored. What was asked for stands in `Upload.asked`, so that what was
not follows the settings, also when an upload is read again.
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
from ..conf import conf
from ..errors import RequestError
from ..protocol.messages import Priority


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """None: not asked for. `pages` are those that the text is to have, as in `reading.selection`.

    `reread_pages` are those that a retry named: they alone are read, and the others keep their text.
    """

    engine: str | None = None
    languages: list[str] | None = None
    pages: str | None = None
    profile: str | None = None
    priority: Priority | None = None
    reread_pages: str | None = msgspec.field(default=None, name="anew")  # its name in stored rows

    def merged_with(self, before: ReadOptions) -> ReadOptions:
        """A retry's: with what was asked before and is not now; another engine has profiles of its own.

        Pages that it names are read anew, and are the text's from then on.
        """
        kept = msgspec.to_builtins(before)
        if self.engine is not None and self.engine != before.engine:
            kept.pop("profile", None)
        return msgspec.structs.replace(
            from_stored(kept | msgspec.to_builtins(self)), pages=before.pages, reread_pages=self.pages
        )

    def for_all_pages(self) -> ReadOptions:
        """The same of all the pages that the text has."""
        return msgspec.structs.replace(self, reread_pages=None)

    def model_fields(self) -> dict[str, Any]:
        """The fields of an upload for which this is asked; where nothing is, the engine is chosen later."""
        asked = msgspec.to_builtins(msgspec.structs.replace(self, pages=_pages(self) or None))
        how = asked.keys() - {"priority"}
        chosen = (
            {"engine": self.engine or resolve_engine(self), "languages": language_codes(self)} if how else {}
        )
        return {"read_options": asked} | chosen


def validate(wishes: ReadOptions) -> ReadOptions:
    """The same. Raises `RequestError` on the field that asks for what cannot be had here."""
    if wishes == ReadOptions(priority=wishes.priority):
        return wishes
    if wishes.engine is not None:
        _check_engine(wishes.engine)
    elif wishes.languages and not _engines_supporting(wishes.languages):
        raise RequestError({"languages": _unsupported_message(wishes.languages)})
    try:
        engines.validate_options(
            engines.engine_class(resolve_engine(wishes)), engine_options(wishes, resolve_engine(wishes))
        )
        PageRanges(_pages(wishes))  # also what is now the text's can be too much to write down
    except UnsupportedOption as error:
        raise RequestError({error.option: str(error)}) from None
    except ValueError as error:
        raise RequestError({"pages": str(error)}) from None
    except ReadingError as error:  # the configured one is broken, which is no request's fault
        raise RequestError({"engine": str(error)}) from None
    return wishes


def from_stored(asked: dict[str, Any]) -> ReadOptions:
    """What stands in `Upload.asked`."""
    return msgspec.convert(asked, ReadOptions)


def resolve_engine(wishes: ReadOptions) -> str:
    """The one that is asked for, else the configured one, or where that lacks the languages, another."""
    if wishes.engine or not wishes.languages:
        return wishes.engine or conf.engine
    fitting = _engines_supporting(wishes.languages)
    return fitting[0] if fitting else conf.engine


def engine_options(wishes: ReadOptions, engine: str) -> Options:
    """For every page of an upload."""
    return Options(
        engine=engine,
        languages=tuple(language_codes(wishes)),
        profile=wishes.profile or "",
        pages=pages_to_read(wishes),
        max_pixels=conf.max_pixels,
        max_pages=conf.max_pages,
        page_seconds=conf.page_seconds,
    )


def pages_to_read(wishes: ReadOptions) -> str:
    """The pages that a reader is to read, as in `reading.selection`; others keep the text that they have."""
    return wishes.pages or "" if wishes.reread_pages is None else wishes.reread_pages


def job_priority(wishes: ReadOptions) -> int:
    """What `Job.priority` is; what has less is read before."""
    return int(wishes.priority == "batch")


def language_codes(wishes: ReadOptions) -> list[str]:
    return list(dict.fromkeys(map(normalize_code, wishes.languages or [])))


def check_pages_exist(wishes: ReadOptions, page_count: int | None) -> ReadOptions:
    """The same. Raises `RequestError` where a document whose length is known has none of the pages named."""
    if wishes.reread_pages and page_count and not PageRanges(wishes.reread_pages).last_page(page_count):
        raise RequestError({"pages": no_such_pages_message(wishes.reread_pages, page_count)})
    return wishes


def _pages(wishes: ReadOptions) -> str:
    """Those that the text has when they are read."""
    pages = wishes.pages or ""
    return pages if wishes.reread_pages is None else str(PageRanges(pages) | PageRanges(wishes.reread_pages))


def selectable_engines() -> list[str]:
    """The engines that a user may ask for. One for tests does what a page says, and is not among them."""
    return [
        name for name in engines.known_engines() if name == conf.engine or not engines.is_test_engine(name)
    ]


def _check_engine(name: str) -> None:
    if name not in selectable_engines():
        known = ", ".join(selectable_engines())
        raise RequestError({"engine": f"There is no reading engine “{name}”; known are: {known}."})
    if lacking := engines.unavailable_reason(name):
        raise RequestError({"engine": f"The reading engine “{name}” is known, but not installed: {lacking}"})


def _engines_supporting(languages: list[str]) -> list[str]:
    """Engines that read all of these: the configured one first; none that would send pages away unasked."""
    wanted = set(map(normalize_code, languages))
    return [name for name in _candidates() if not (read := _readable(name)) or wanted <= read]


def _candidates() -> list[str]:
    others = [name for name in selectable_engines() if name != conf.engine and engines.is_local(name)]
    return [conf.engine, *(name for name in others if not engines.unavailable_reason(name))]


def _readable(name: str) -> frozenset[str]:
    try:
        return engines.engine_class(name).supported_languages()
    except ReadingError:
        return frozenset({""})  # broken: it reads nothing


def _unsupported_message(languages: list[str]) -> str:
    known = language_names(set[str]().union(*map(_readable, _candidates())) - {""})
    return f"No engine that is installed here reads {' and '.join(languages)}; those here read {known}."
