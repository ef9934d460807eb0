"""A part of `make lint`: where the documentation and the program differ.

- Every setting, command, option, request, message, key, error, close code and route is in the reference.
- A `scanrill` command that a page shows has a name and options that there are, and so has a `make` target.
- A variable that begins with `SCANRILL_` is a setting.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import generate
from .generate import commands, errors, protocol, rest, words
from .generate.markdown import own_docstring

ROOT = Path(__file__).parents[1]
# Written for people to copy from: all Markdown that belongs to the project.
WRITTEN = ("*.md", "docs/**/*.md", "benchmarks/*.md", "deploy/*.md")
SHELL = ("sh", "bash", "console", "ini", "yaml", "dockerfile")
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
# A command at the start of a line or behind what may stand before one; `scanrill.service` is no command.
COMMAND = re.compile(r"(?:^|[\s/=(;|&])(scanrill|make)[ ]+([^\n;|&)`]+)", re.MULTILINE)
PLACEHOLDER = re.compile(r"[A-Z]+\.*|\||…|\.\.\.|<.*>|\[.*\]")
TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)


def main() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in _files()}
    problems = [*missing(generate.pages()), *wrong_commands(texts), *unknown_settings(texts)]
    if problems:
        sys.exit("\n".join(problems))


# ── the reference has all that there is ──


def missing(pages: dict[str, str]) -> Iterator[str]:
    """Things of the program that the generated pages do not tell of, or tell nothing about."""
    for page, things in _things():
        for thing in things:
            if thing not in pages[page]:
                yield f"docs: {page} lacks {thing}"
    for thing, said in _descriptions():
        if not said:
            yield f"docs: nothing is said about {thing}: see docs/generate/words.py"


def _things() -> Iterator[tuple[str, Iterable[str]]]:
    from backend_main.core import conf
    from backend_main.core.protocol import parsing
    from backend_main.core.protocol.messages import REPLY_TYPES, REQUESTS

    yield "reference/settings.md", (f"### {conf.PREFIX}{f.upper()} " for f in conf.Conf.__struct_fields__)
    leaves = [(name, command) for name, command in commands.commands() if not commands.is_group(command)]
    yield "reference/command-line.md", (f"## {name}\n" for name, _ in leaves)
    shown = (option for _, command in leaves for option in commands.options(command))
    yield "reference/command-line.md", (option for option in shown if not option.startswith("--no-"))
    yield "reference/websocket.md", (f"### {name} " for name in REQUESTS)
    yield "reference/websocket.md", (f"`{reply}`" for reply in REPLY_TYPES.values())
    yield "reference/websocket.md", parsing.FIELD_HELP.values()
    for kind in [*protocol.messages(), *protocol.parts()]:
        yield (
            "reference/websocket.md",
            (f"### {kind.__name__} ", *(f"| `{k}` |" for k in kind.__struct_fields__)),
        )
    yield "reference/errors.md", (f"| `{kind.__name__}` |" for kind in errors.classes())
    yield "reference/errors.md", (f"| `{kind.close_code}` |" for kind in errors.classes())
    yield "reference/rest.md", (f"`{route.path}`" for route in rest.routes())


def _descriptions() -> Iterator[tuple[str, str]]:
    from backend_main.core.protocol.messages import REQUESTS

    for name, kind in REQUESTS.items():
        yield f"the request {name}", words.REQUESTS.get(name) or own_docstring(kind)
    for message in [*protocol.messages(), *protocol.parts()]:
        yield (
            f"the message {message.__name__}",
            words.MESSAGES.get(message.__name__) or own_docstring(message),
        )
    for error in errors.classes():
        yield f"the error {error.__name__}", errors.about(error)
    for route in rest.routes():
        yield f"the route {route.path}", route.about


# ── what pages show is there ──


def wrong_commands(texts: dict[str, str]) -> Iterator[str]:
    """Commands in shell blocks and in inline code that would be answered with "no such command" or option."""
    known = dict(commands.commands())
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    for page, text in texts.items():
        for program, arguments in _shown_commands(text):
            wrong = (
                _unknown_target(arguments, targets) if program == "make" else _unknown_words(arguments, known)
            )
            if wrong:
                yield f"{page}: there is no `{wrong}`, in: {program} {arguments.strip()}"


def unknown_settings(texts: dict[str, str]) -> Iterator[str]:
    """Variables that are no setting; one that ends in _ stands for all that begin so."""
    from backend_main.core import conf

    known = [conf.PREFIX + name.upper() for name in conf.Conf.__struct_fields__]
    for page, text in texts.items():
        for name in sorted(set(re.findall(rf"\b{conf.PREFIX}[A-Z0-9_]*", text))):
            if name not in known and not (name.endswith("_") and any(k.startswith(name) for k in known)):
                yield f"{page}: {name} is no setting"


def _shown_commands(text: str) -> Iterator[tuple[str, str]]:
    blocks = [block for _, language, block in FENCE.findall(text) if language in SHELL]
    spans = INLINE.findall(FENCE.sub("", text))
    for shown in [*blocks, *spans]:
        for found in COMMAND.finditer(shown.replace("\\\n", " ")):
            yield found[1], found[2].partition(" #")[0]


def _unknown_target(arguments: str, targets: set[str]) -> str:
    name = arguments.split()[0]
    return "" if name in targets or not re.fullmatch(r"[a-z][\w-]*", name) else f"make {name}"


def _unknown_words(arguments: str, known: dict[str, Any]) -> str:
    """The first word that is neither a command nor an option of it; what stands for something passes."""
    where = "scanrill"
    for word in _split(arguments):
        if word.startswith("-") and word != "-":
            if word.partition("=")[0] not in commands.options(known[where]):
                return f"{where} {word}"
        elif commands.is_group(known[where]) and not PLACEHOLDER.fullmatch(word):
            where = f"{where} {word.rstrip(',.')}"
            if where not in known:
                return where
    return ""


def _split(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:  # a quotation that goes on behind what was cut
        return arguments.split()


def _files() -> list[Path]:
    return sorted(path for pattern in WRITTEN for path in ROOT.glob(pattern))


if __name__ == "__main__":
    main()
