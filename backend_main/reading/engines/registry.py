"""Step 10 - engines, found by entry points, so that another package can bring one."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ..errors import EngineFailed, EngineUnavailable, UnknownEngine, UnsupportedOption
from ..languages import language_names, normalize_code
from ..page_ranges import PageRanges
from ..types import Options
from .base import Engine

ENTRY_POINT_GROUP = "scanrill.engines"


def known_engines() -> list[str]:
    """Names of the installed engines, sorted. An engine whose program is missing is still known."""
    return sorted(_entry_points())


def engine_class(name: str) -> type[Engine]:
    """What the engine is, before it is loaded. Raises UnknownEngine, or EngineFailed where it is broken."""
    points = _entry_points()
    if name not in points:
        raise UnknownEngine(name, points)
    try:
        found: type[Engine] = points[name].load()
    except Exception as error:
        raise EngineFailed(f"The reading engine “{name}” could not be imported.") from error
    return found


def unavailable_reason(name: str) -> str | None:
    """Return why a known engine cannot be used here, as a sentence; None if it can."""
    try:
        return engine_class(name).unavailable_reason()
    except EngineFailed as error:
        return str(error)


def is_test_engine(name: str) -> bool:
    try:
        return engine_class(name).is_test_engine
    except EngineFailed:
        return False


def is_local(name: str) -> bool:
    """Whether pages stay on this machine."""
    try:
        return not engine_class(name).is_remote
    except EngineFailed:
        return False


def validate_options(engine: Engine | type[Engine], options: Options) -> None:
    """Whether what is asked for goes with the engine. Raises UnsupportedOption, with what does."""
    _check_languages(engine, options.languages)
    try:
        PageRanges(options.pages)
    except ValueError as error:
        raise UnsupportedOption("pages", str(error)) from None
    if options.profile and options.profile not in engine.profiles:
        known = f"it has {', '.join(engine.profiles)}" if engine.profiles else "it has none"
        sentence = f"The engine “{engine.name}” has no profile “{options.profile}”; {known}."
        raise UnsupportedOption("profile", sentence)
    unread = engine.unsupported_languages(options.profile)
    if lost := [word for word in options.languages if normalize_code(word) in unread]:
        raise UnsupportedOption(
            "languages", f"The profile “{options.profile}” does not read {', '.join(lost)}."
        )


def _check_languages(engine: Engine | type[Engine], words: tuple[str, ...]) -> None:
    readable = engine.supported_languages()
    if unread := [word for word in words if readable and normalize_code(word) not in readable]:
        listed = ", ".join(unread)
        sentence = f"The engine “{engine.name}” does not read {listed}; it reads {language_names(readable)}."
        raise UnsupportedOption("languages", sentence)


def load_engine(name: str, threads: int = 0) -> Engine:
    """A loaded engine. Raises UnknownEngine, EngineUnavailable, or EngineFailed when it cannot be loaded."""
    found = engine_class(name)
    if sentence := found.unavailable_reason():
        raise EngineUnavailable(name, sentence)
    try:
        engine = found()
        engine.load(threads)
    except Exception as error:
        raise EngineFailed(f"The reading engine “{name}” could not be loaded.") from error
    return engine


@cache
def _entry_points() -> dict[str, EntryPoint]:
    """By name, looked up once a process: it goes through all that is installed.

    Of two packages that bring the same name, the first that is found counts.
    """
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        points.setdefault(point.name, point)
    return points
