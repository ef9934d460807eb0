"""Step 10 - engines, found by entry points, so that another package can bring one."""

from importlib.metadata import entry_points

from ..errors import EngineFailed, EngineUnknown
from .base import Engine

ENTRY_POINT_GROUP = "scanrill.engines"

__all__ = ["Engine", "known_engines", "load_engine"]


def known_engines() -> list[str]:
    """Names of the installed engines, sorted. An engine whose program is missing is still known."""
    return sorted({point.name for point in entry_points(group=ENTRY_POINT_GROUP)})


def load_engine(name: str, threads: int = 0) -> Engine:
    """A loaded engine. Raises EngineUnknown, or EngineFailed when it cannot be loaded."""
    points = [point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name == name]
    if not points:
        raise EngineUnknown(name, known_engines())
    try:
        engine: Engine = points[0].load()()
        engine.load(threads)
    except Exception as error:
        raise EngineFailed(f"The reading engine “{name}” could not be loaded.") from error
    return engine
