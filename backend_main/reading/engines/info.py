"""Step 10 - what can be said of an engine, to people and to programs."""

import msgspec

from ..errors import EngineFailed
from . import engine_class, unavailable_reason


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`unavailable_reason`: what keeps it from being used here, as a sentence. No languages: any, or it is not known."""

    name: str
    installed: bool = False
    unavailable_reason: str | None = None
    languages: list[str] = []
    profiles: list[str] = []
    streams_tokens: bool = False
    provides_boxes: bool = False
    is_remote: bool = False
    is_test_engine: bool = False


def engine_info(name: str) -> EngineInfo:
    """Of a known engine; also of one that is broken."""
    try:
        kind = engine_class(name)
    except EngineFailed as error:
        return EngineInfo(name=name, unavailable_reason=str(error))
    missing = unavailable_reason(name)
    return EngineInfo(
        name=name,
        installed=not missing,
        unavailable_reason=missing,
        languages=[] if missing else sorted(kind.supported_languages()),
        profiles=list(kind.profiles),
        streams_tokens=kind.streams_tokens,
        provides_boxes=kind.provides_boxes,
        is_remote=kind.is_remote,
        is_test_engine=kind.is_test_engine,
    )
