"""Step 10 - what can be said of an engine, to people and to programs."""

import msgspec

from ..errors import EngineFailed
from . import engine_class, lacking


class About(msgspec.Struct, frozen=True, kw_only=True):
    """`lacking`: what keeps it from being used here, as a sentence. No languages: any, or it is not known."""

    name: str
    installed: bool = False
    lacking: str = ""
    languages: list[str] = []
    profiles: list[str] = []
    streams_tokens: bool = False
    gives_boxes: bool = False
    sends_pages_away: bool = False
    for_tests: bool = False


def about(name: str) -> About:
    """Of a known engine; also of one that is broken."""
    try:
        kind = engine_class(name)
    except EngineFailed as error:
        return About(name=name, lacking=str(error))
    missing = lacking(name)
    return About(
        name=name,
        installed=not missing,
        lacking=missing,
        languages=[] if missing else sorted(kind.readable()),
        profiles=list(kind.profiles),
        streams_tokens=kind.streams_tokens,
        gives_boxes=kind.gives_boxes,
        sends_pages_away=kind.sends_pages_away,
        for_tests=kind.for_tests,
    )
