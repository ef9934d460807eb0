"""Registry of the engines that are installed, through entry points."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ..errors import EngineFailed, EngineUnavailable, UnknownEngine, UnsupportedOption
from ..languages import language_names, normalize_code
from ..page_ranges import PageRanges
from ..types import Options
from .base import Engine

ENTRY_POINT_GROUP = "scanrill.engines"


def known_engines() -> list[str]:
    """Return the names of the installed engines, sorted; those that lack something are included."""
    return sorted(_entry_points())


def engine_class(name: str) -> type[Engine]:
    """Return the class of an engine, which need not be loaded.

    Raises:
        UnknownEngine: no engine of this name is installed.
        EngineFailed: the engine cannot be imported.
    """
    points = _entry_points()
    if name not in points:
        raise UnknownEngine(name, points)
    try:
        kind: type[Engine] = points[name].load()
    except Exception as error:
        raise EngineFailed(f"The engine “{name}” cannot be imported.") from error
    return kind


def unavailable_reason(name: str) -> str | None:
    """Return why this machine cannot run an engine, as a sentence; None if it can."""
    try:
        return engine_class(name).unavailable_reason()
    except EngineFailed as error:
        return str(error)


def is_test_engine(name: str) -> bool:
    """Return whether an engine is for tests only; False if it cannot be imported."""
    try:
        return engine_class(name).is_test_engine
    except EngineFailed:
        return False


def is_local(name: str) -> bool:
    """Return whether an engine keeps pages on this machine; False if it cannot be imported."""
    try:
        return not engine_class(name).is_remote
    except EngineFailed:
        return False


def validate_options(engine: Engine | type[Engine], options: Options) -> None:
    """Check the languages, pages and profile of a read. Raises UnsupportedOption."""
    supported = engine.supported_languages()
    unread = [code for code in options.languages if supported and normalize_code(code) not in supported]
    if unread:
        message = (
            f"The engine “{engine.name}” does not read {', '.join(unread)}; "
            f"it reads {language_names(supported)}."
        )
        raise UnsupportedOption("languages", message)
    try:
        PageRanges(options.pages)
    except ValueError as error:
        raise UnsupportedOption("pages", str(error)) from None
    if options.profile and options.profile not in engine.profiles:
        profiles = ", ".join(engine.profiles) or "none"
        message = f"The engine “{engine.name}” has no profile “{options.profile}”. Its profiles: {profiles}."
        raise UnsupportedOption("profile", message)
    unsupported = engine.unsupported_languages(options.profile)
    if unread := [code for code in options.languages if normalize_code(code) in unsupported]:
        message = f"The profile “{options.profile}” does not read {', '.join(unread)}."
        raise UnsupportedOption("languages", message)


def load_engine(name: str, threads: int = 0) -> Engine:
    """Load an engine. Load it once and pass it to each read of several files; close it at the end.

    Args:
        name: name of the engine, one of `known_engines`.
        threads: number of threads; 0: one for each core.

    Raises:
        UnknownEngine: no engine of this name is installed.
        EngineUnavailable: this machine lacks what the engine needs.
        EngineFailed: the engine raised an exception.
    """
    kind = engine_class(name)
    if reason := kind.unavailable_reason():
        raise EngineUnavailable(name, reason)
    try:
        engine = kind()
        engine.load(threads)
    except Exception as error:
        raise EngineFailed(f"The engine “{name}” could not be loaded.") from error
    return engine


@cache
def _entry_points() -> dict[str, EntryPoint]:
    """Return the entry points by name; of two with one name the first found. Once per process: it is slow."""
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        points.setdefault(point.name, point)
    return points
