"""Generator of the page of commands, from the command line."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import typer.main

import backend_main.cli
from backend_main.cli.main import app

from .markdown import block, code, joined, page, table

# Typer does not export the classes of its command tree.
Command = Any
HELP_OPTION = "--help"


def page_of_commands() -> str:
    endings = (backend_main.cli.__doc__ or "").partition("Exit codes: ")[2].strip()
    sections = [_section(name, command) for name, command in commands() if not is_group(command)]
    return page(
        "Command line",
        "Every command of scanrill with its arguments and options.",
        f"Exit codes: {endings} Every command has {HELP_OPTION}.",
        *sections,
    )


def commands() -> Iterator[tuple[str, Command]]:
    """Yield every command and group with its full name."""
    yield from _below("scanrill", typer.main.get_command(app))


def is_group(command: Command) -> bool:
    return bool(getattr(command, "commands", None))


def options(command: Command) -> list[str]:
    """Return all options of a command."""
    return [
        HELP_OPTION,
        *(opt for p in command.params for opt in [*p.opts, *p.secondary_opts] if opt[0] == "-"),
    ]


def _below(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    yield name, command
    for word, sub in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {word}", sub)


def _section(name: str, command: Command) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    opts = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, *(["[OPTIONS]"] if opts else []), *map(_argument, arguments)])
    return joined(
        f"## {name}",
        command.help or "",
        block(usage),
        table(("argument", ""), ((code(_argument(p)), p.help or "") for p in arguments)) if arguments else "",
        table(("option", "", "default"), map(_option, opts)) if opts else "",
    ).strip()


def _argument(parameter: Any) -> str:
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _option(parameter: Any) -> tuple[str, str, str]:
    names = ", ".join(code(name) for name in parameter.opts)
    return names, parameter.help or "", code(_default(parameter))


def _default(parameter: Any) -> str:
    value = parameter.default
    if isinstance(value, enum.Enum):
        value = value.value
    return "" if value is None or value is False else str(value)
