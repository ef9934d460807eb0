"""Description of an engine, for users and for programs."""

import msgspec

from ..errors import EngineFailed
from . import engine_class, unavailable_reason


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Name, abilities and availability of an engine."""

    name: str
    """Name, as in `Options.engine`."""
    installed: bool = False
    """This machine can run the engine."""
    unavailable_reason: str | None = None
    """What this machine lacks and how to get it, as a sentence; None if it lacks nothing."""
    languages: list[str] = []
    """Codes of the languages that this machine can read; empty: any, or unknown."""
    profiles: list[str] = []
    """Values of `Options.profile`, the default first."""
    streams_tokens: bool = False
    """The engine yields pieces that are shorter than a line."""
    provides_boxes: bool = False
    """Lines have boxes and confidences."""
    provides_words: bool = False
    """Lines have words with boxes."""
    is_remote: bool = False
    """The engine sends pages to another machine."""
    is_test_engine: bool = False
    """The engine follows instructions in the file."""


def engine_info(name: str) -> EngineInfo:
    """Return the description of an engine, also of one that this machine cannot run.

    Raises:
        UnknownEngine: no engine of this name is installed.
    """
    try:
        kind = engine_class(name)
    except EngineFailed as error:
        return EngineInfo(name=name, unavailable_reason=str(error))
    reason = unavailable_reason(name)
    return EngineInfo(
        name=name,
        installed=reason is None,
        unavailable_reason=reason,
        languages=sorted(kind.supported_languages()) if reason is None else [],
        profiles=list(kind.profiles),
        streams_tokens=kind.streams_tokens,
        provides_boxes=kind.provides_boxes,
        provides_words=kind.provides_words,
        is_remote=kind.is_remote,
        is_test_engine=kind.is_test_engine,
    )
