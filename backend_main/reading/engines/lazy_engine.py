"""Engine that is loaded when a page first needs it.

A page with a usable text layer needs no engine, and the models of one take half a second to load. Unknown and
unavailable engines, and options that an engine does not support, are reported without loading it.
"""

from ..errors import EngineUnavailable
from ..types import Options
from .base import Engine
from .registry import engine_class, load_engine, unavailable_reason, validate_options


class LazyEngine:
    """An engine by its name, or a loaded one. One thread at a time uses it.

    Args:
        engine: name of the engine; or a loaded engine, which `close` leaves open.
        threads: number of threads; 0: one for each core.

    Raises:
        UnknownEngine: no engine of this name is installed.
        EngineUnavailable: this machine lacks what the engine needs.
        EngineFailed: the engine cannot be imported.
    """

    def __init__(self, engine: str | Engine, threads: int = 0) -> None:
        self._threads = threads
        self._loaded: Engine | None = None
        self._options: Options | None = None
        self._configured: Options | None = None
        self._is_owned = isinstance(engine, str)
        if isinstance(engine, Engine):
            self._name, self._loaded = engine.name, engine
            self.kind: Engine | type[Engine] = engine
            """The engine, or its class: for attributes that need no loaded engine."""
        else:
            self._name, self.kind = engine, engine_class(engine)
            if reason := unavailable_reason(engine):
                raise EngineUnavailable(engine, reason)

    def configure(self, options: Options) -> None:
        """Check the options of the next read, and keep them for it. Raises UnsupportedOption."""
        validate_options(self.kind, options)
        self._options, self._configured = options, None

    def get(self) -> Engine:
        """Return the engine, loaded and configured for the current read. Raises EngineFailed."""
        if self._loaded is None:
            self._loaded = load_engine(self._name, self._threads)
        if self._options is not None and self._configured is not self._options:
            self._loaded.configure(self._options)
            self._configured = self._options
        return self._loaded

    def close(self) -> None:
        """Close the engine if it was loaded here; the next `get` loads it again."""
        if self._is_owned and self._loaded is not None:
            self._loaded.close()
            self._loaded = self._configured = None
