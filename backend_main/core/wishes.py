"""Step 6 — what is asked of a reading beside its file: engine, languages, pages, profile, priority.

All of it is checked before anything is stored. What was asked for stands in `Upload.asked`, so that what was
not follows the settings, also when an upload is read again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..reading import NotReadable, Options, ReadingError, engines
from ..reading.languages import code_of, names
from ..reading.selection import Selection, none_of_them
from .conf import conf
from .errors import Invalid
from .protocol import Priority


class Wishes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """None: not asked for. `pages` are those that the text is to have, as in `reading.selection`.

    `anew` are those that a retry named: they alone are read, and the others keep their text.
    """

    engine: str | None = None
    languages: list[str] | None = None
    pages: str | None = None
    profile: str | None = None
    priority: Priority | None = None
    anew: str | None = None

    def after(self, before: Wishes) -> Wishes:
        """A retry's: with what was asked before and is not now; another engine has profiles of its own.

        Pages that it names are read anew, and are the text's from then on.
        """
        kept = msgspec.to_builtins(before)
        if self.engine is not None and self.engine != before.engine:
            kept.pop("profile", None)
        return msgspec.structs.replace(
            of(kept | msgspec.to_builtins(self)), pages=before.pages, anew=self.pages
        )

    def of_all(self) -> Wishes:
        """The same of all the pages that the text has."""
        return msgspec.structs.replace(self, anew=None)

    def columns(self) -> dict[str, Any]:
        """The fields of an upload for which this is asked; where nothing is, the engine is chosen later."""
        asked = msgspec.to_builtins(msgspec.structs.replace(self, pages=_pages(self) or None))
        how = asked.keys() - {"priority"}
        chosen = {"engine": self.engine or engine_for(self), "languages": codes(self)} if how else {}
        return {"asked": asked} | chosen


def check(wishes: Wishes) -> Wishes:
    """The same. Raises `Invalid` on the field that asks for what cannot be had here."""
    if wishes == Wishes(priority=wishes.priority):
        return wishes
    if wishes.engine is not None:
        _check_engine(wishes.engine)
    elif wishes.languages and not _readers_of(wishes.languages):
        raise Invalid({"languages": _readable_here(wishes.languages)})
    try:
        engines.check(engines.engine_class(engine_for(wishes)), options(wishes, engine_for(wishes)))
        Selection(_pages(wishes))  # also what is now the text's can be too much to write down
    except NotReadable as error:
        raise Invalid({error.option: str(error)}) from None
    except ValueError as error:
        raise Invalid({"pages": str(error)}) from None
    except ReadingError as error:  # the configured one is broken, which is no request's fault
        raise Invalid({"engine": str(error)}) from None
    return wishes


def of(asked: dict[str, Any]) -> Wishes:
    """What stands in `Upload.asked`."""
    return msgspec.convert(asked, Wishes)


def engine_for(wishes: Wishes) -> str:
    """The one that is asked for, else the configured one, or where that lacks the languages, another."""
    if wishes.engine or not wishes.languages:
        return wishes.engine or conf.engine
    fitting = _readers_of(wishes.languages)
    return fitting[0] if fitting else conf.engine


def options(wishes: Wishes, engine: str) -> Options:
    """For every page of an upload."""
    return Options(
        engine=engine,
        languages=tuple(codes(wishes)),
        profile=wishes.profile or "",
        pages=to_read(wishes),
        max_pixels=conf.max_pixels,
        max_pages=conf.max_pages,
        page_seconds=conf.page_seconds,
    )


def to_read(wishes: Wishes) -> str:
    """The pages that a reader is to read, as in `reading.selection`; others keep the text that they have."""
    return wishes.pages or "" if wishes.anew is None else wishes.anew


def rank(wishes: Wishes) -> int:
    """What `Job.priority` is; what has less is read before."""
    return int(wishes.priority == "batch")


def codes(wishes: Wishes) -> list[str]:
    return list(dict.fromkeys(map(code_of, wishes.languages or [])))


def in_document(wishes: Wishes, page_count: int | None) -> Wishes:
    """The same. Raises `Invalid` where a document whose length is known has none of the pages named."""
    if wishes.anew and page_count and not Selection(wishes.anew).last(page_count):
        raise Invalid({"pages": none_of_them(wishes.anew, page_count)})
    return wishes


def _pages(wishes: Wishes) -> str:
    """Those that the text has when they are read."""
    pages = wishes.pages or ""
    return pages if wishes.anew is None else str(Selection(pages) | Selection(wishes.anew))


def choosable() -> list[str]:
    """The engines that a user may ask for. One for tests does what a page says, and is not among them."""
    return [name for name in engines.known_engines() if name == conf.engine or not engines.is_for_tests(name)]


def _check_engine(name: str) -> None:
    if name not in choosable():
        known = ", ".join(choosable())
        raise Invalid({"engine": f"There is no reading engine “{name}”; known are: {known}."})
    if lacking := engines.lacking(name):
        raise Invalid({"engine": f"The reading engine “{name}” is known, but not installed: {lacking}"})


def _readers_of(languages: list[str]) -> list[str]:
    """Engines that read all of these: the configured one first; none that would send pages away unasked."""
    wanted = set(map(code_of, languages))
    return [name for name in _candidates() if not (read := _readable(name)) or wanted <= read]


def _candidates() -> list[str]:
    others = [name for name in choosable() if name != conf.engine and engines.is_local(name)]
    return [conf.engine, *(name for name in others if not engines.lacking(name))]


def _readable(name: str) -> frozenset[str]:
    try:
        return engines.engine_class(name).readable()
    except ReadingError:
        return frozenset({""})  # broken: it reads nothing


def _readable_here(languages: list[str]) -> str:
    known = names(set[str]().union(*map(_readable, _candidates())) - {""})
    return f"No engine that is installed here reads {' and '.join(languages)}; those here read {known}."
