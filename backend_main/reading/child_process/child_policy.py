"""Policy of an engine process: what its engines need, and nothing else."""

import os
from collections.abc import Iterable, Iterator

from ...sandbox import readable_paths
from ...sandbox.policy import Policy
from ..engines import Engine, engine_class, known_engines
from ..errors import ReadingError

OWN_PACKAGE = "backend_main"


def policy_for(
    engines: Iterable[str], *, max_memory_bytes: int = 0, required: Iterable[str] = ()
) -> Policy | None:
    """Return the policy of a process with some engines; None if one of them cannot be confined.

    Args:
        engines: names of the engines that the process uses by choice. It may load other local ones too.
        max_memory_bytes: limit of memory in use. Twice as much may be mapped, since not all of it is used.
        required: names of measures without which the process does not start.
    """
    chosen = list(_classes(engines))
    if not all(kind.is_confined for kind in chosen):
        return None
    kinds = [*chosen, *_fallback_classes()] if chosen else []
    has_network = any(kind.is_remote for kind in chosen)
    readable, listable = readable_paths.python_paths()
    readable += [*readable_paths.SYSTEM_PATHS, *_configured_python_path()]
    readable += readable_paths.NETWORK_PATHS if has_network else []
    for module in (OWN_PACKAGE, *(kind.__module__ for kind in kinds)):
        readable += readable_paths.package_directory(module)
    readable += [str(path) for kind in kinds for path in kind.readable_paths()]
    programs = [program for kind in kinds for program in kind.external_programs()]
    return Policy(
        readable=tuple(dict.fromkeys(readable)),
        listable=tuple(listable),
        programs=tuple(dict.fromkeys(programs)),
        has_network=has_network,
        max_memory_bytes=2 * max_memory_bytes,
        required=tuple(required),
    )


def _classes(engines: Iterable[str]) -> Iterator[type[Engine]]:
    for name in engines:
        try:
            yield engine_class(name)
        except ReadingError:  # the process reports it
            continue


def _fallback_classes() -> Iterator[type[Engine]]:
    """Yield the local engines that read a page or a line for another one."""
    return (kind for kind in _classes(known_engines()) if kind.is_confined and not kind.is_remote)


def _configured_python_path() -> list[str]:
    """Return the directories of PYTHONPATH, which contain modules."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [os.path.realpath(path) for path in paths if path]
