"""Policy of a confined process: its rights and limits, as its parent decides them."""

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """Rights and limits of a confined process.

    readable: files and directories that it reads; others it cannot open. It writes none.
    listable: directories whose names it lists too, but not the contents of their files.
    programs: programs that a process beside it runs; it runs none itself.
    has_network: it opens connections.
    max_memory_bytes: memory that it may map beyond what it has mapped when it is loaded; 0: any.
    required: measures without which it does not start.
    """

    readable: tuple[str, ...] = ()
    listable: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    has_network: bool = False
    max_memory_bytes: int = 0
    required: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        values: dict[str, Any] = json.loads(text)
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(value)
        return cls(**values)
