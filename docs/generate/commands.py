"""The `scanrill` command → its page."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any

import typer.main

import backend_main.cli
from backend_main.cli.main import app

from .markdown import block, code, joined, page, table

# Typer brings a command tree of its own, whose classes it does not export.
Command = Any
HELP_OPTION = "--help"


def page_of_commands() -> str:
    endings = (backend_main.cli.__doc__ or "").partition("Exit codes: ")[2].strip()
    sections = [_section(words, command) for words, command in commands() if not is_group(command)]
    return page(
        "Command line",
        "The commands of scanrill, their arguments and their options.",
        f"Exit codes: {endings} {HELP_OPTION} is known to every command.",
        *sections,
    )


def commands() -> Iterator[tuple[str, Command]]:
    """Every command and group, as it is typed."""
    yield from _below("scanrill", typer.main.get_command(app))


def is_group(command: Command) -> bool:
    return bool(getattr(command, "commands", None))


def options(command: Command) -> list[str]:
    """All that begins with a dash and is known to the command."""
    return [
        HELP_OPTION,
        *(opt for p in command.params for opt in [*p.opts, *p.secondary_opts] if opt[0] == "-"),
    ]


def _below(words: str, command: Command) -> Iterator[tuple[str, Command]]:
    yield words, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from _below(f"{words} {name}", sub)


def _section(words: str, command: Command) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    opts = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([words, *(["[OPTIONS]"] if opts else []), *map(_argument, arguments)])
    return joined(
        f"## {words}",
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
