"""Step 10 - engines, found by entry points, so that another package can bring one."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ..errors import EngineFailed, EngineMissing, EngineUnknown, NotReadable
from ..languages import code_of, names
from ..selection import Selection
from ..types import Options
from .base import Anew, Engine

ENTRY_POINT_GROUP = "scanrill.engines"

__all__ = ["Anew", "Engine", "check", "engine_class", "known_engines", "lacking", "load_engine"]


def known_engines() -> list[str]:
    """Names of the installed engines, sorted. An engine whose program is missing is still known."""
    return sorted(_points())


def engine_class(name: str) -> type[Engine]:
    """What the engine is, before it is loaded. Raises EngineUnknown, or EngineFailed where it is broken."""
    points = _points()
    if name not in points:
        raise EngineUnknown(name, points)
    try:
        found: type[Engine] = points[name].load()
    except Exception as error:
        raise EngineFailed(f"The reading engine “{name}” could not be imported.") from error
    return found


def lacking(name: str) -> str:
    """What keeps a known engine from being used here, as a sentence; "" where nothing does."""
    try:
        return engine_class(name).lacking()
    except EngineFailed as error:
        return str(error)


def is_for_tests(name: str) -> bool:
    try:
        return engine_class(name).for_tests
    except EngineFailed:
        return False


def is_local(name: str) -> bool:
    """Whether pages stay on this machine."""
    try:
        return not engine_class(name).sends_pages_away
    except EngineFailed:
        return False


def check(engine: Engine | type[Engine], options: Options) -> None:
    """Whether what is asked for goes with the engine. Raises NotReadable, with what does."""
    _check_languages(engine, options.languages)
    try:
        Selection(options.pages)
    except ValueError as error:
        raise NotReadable("pages", str(error)) from None
    if options.profile and options.profile not in engine.profiles:
        known = f"it has {', '.join(engine.profiles)}" if engine.profiles else "it has none"
        sentence = f"The engine “{engine.name}” has no profile “{options.profile}”; {known}."
        raise NotReadable("profile", sentence)
    unread = engine.unread(options.profile)
    if lost := [word for word in options.languages if code_of(word) in unread]:
        raise NotReadable("languages", f"The profile “{options.profile}” does not read {', '.join(lost)}.")


def _check_languages(engine: Engine | type[Engine], words: tuple[str, ...]) -> None:
    readable = engine.readable()
    if unread := [word for word in words if readable and code_of(word) not in readable]:
        listed = ", ".join(unread)
        sentence = f"The engine “{engine.name}” does not read {listed}; it reads {names(readable)}."
        raise NotReadable("languages", sentence)


def load_engine(name: str, threads: int = 0) -> Engine:
    """A loaded engine. Raises EngineUnknown, EngineMissing, or EngineFailed when it cannot be loaded."""
    found = engine_class(name)
    if sentence := found.lacking():
        raise EngineMissing(name, sentence)
    try:
        engine = found()
        engine.load(threads)
    except Exception as error:
        raise EngineFailed(f"The reading engine “{name}” could not be loaded.") from error
    return engine


@cache
def _points() -> dict[str, EntryPoint]:
    """By name, looked up once a process: it goes through all that is installed.

    Of two packages that bring the same name, the first that is found counts.
    """
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        points.setdefault(point.name, point)
    return points
