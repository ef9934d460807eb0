"""Documentation checks of `make lint`: they report differences between the documentation and the program.

- The reference has every setting, command, option, request, message, field, error, warning, close code and
  route. Each request, message, field and route has a description and an example.
- Each `scanrill` command on a page has a name and options that exist, and each `make` target exists.
- Each path of a file or folder of the repository exists.
- Each variable that begins with `SCANRILL_` is a setting.
- The glossary is sorted, and the list of threats has every threat id of the tests.
- Prose and names follow the word list (`docs/word_list.py`).
"""

from __future__ import annotations

import itertools
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from backend_main.reading import WarningCode

from . import check_words, generate
from .generate import (
    commands,
    descriptions,
    errors,
    library,
    protocol,
    rest,
    rest_examples,
    transcripts,
    warnings,
)

ROOT = Path(__file__).parents[1]
# All Markdown of the project: people copy commands from it.
WRITTEN = ("*.md", "docs/**/*.md", "benchmarks/*.md", "deploy/*.md")
SHELL = ("sh", "bash", "console", "ini", "yaml", "dockerfile")
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
# A command at the start of a line or after a prefix; `scanrill.service` is not a command.
COMMAND = re.compile(r"(?:^|[\s/=(;|&])(scanrill|make)[ ]+([^\n;|&)`]+)", re.MULTILINE)
PLACEHOLDER = re.compile(r"[A-Z]+\.*|\||…|\.\.\.|<.*>|\[.*\]")
PATH = re.compile(
    r"`((?:backend|backend_main|benchmarks|cli|clients|core|deploy|docs|examples|reading|tests|tools)/[\w./-]*)`"
)
TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)
TERM = re.compile(r"^- \*\*(.+?)\*\*: ", re.MULTILINE)
THREAT = re.compile(r"^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
# S: a threat; C, H, M, L: a finding of an attack.
THREAT_OF_TEST = re.compile(r"def test_([schml]\d+)_")


def main() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in _files()}
    problems = [
        *missing(generate.pages()),
        *stale(),
        *wrong_commands(texts),
        *wrong_paths(texts),
        *unknown_settings(texts),
        *wrong_glossary(texts["docs/pages/reference/glossary.md"]),
        *wrong_threats(texts["docs/pages/security/threats.md"]),
        *check_words.problems(),
    ]
    if problems:
        sys.exit("\n".join(problems))


# ── the reference is complete ──


def missing(pages: dict[str, str]) -> Iterator[str]:
    """Yield parts of the program that the generated pages lack, or lack a description or an example of."""
    for page, things in _things():
        for thing in things:
            if thing not in pages[page]:
                yield f"docs: {page} lacks {thing}"
    for thing, description in _descriptions():
        if not description:
            yield f"docs: {thing} has no description: see docs/generate/descriptions.py"
    for thing, example in _examples():
        if not example:
            yield f"docs: {thing} has no example: see tests/vectors and docs/generate/rest_examples.py"


def stale() -> Iterator[str]:
    """Yield descriptions and examples of things that do not exist."""
    fields = {name for kind in _kinds() for name in kind.__struct_fields__}
    owned = {f"{kind.__name__}.{name}" for kind in _kinds() for name in kind.__struct_fields__}
    known = {
        "REQUESTS": set(_requests()),
        "MESSAGES": {kind.__name__ for kind in _kinds()},
        "FIELDS": fields | owned,
        "ROUTES": set(rest.names()),
        "TRANSCRIPTS": set(transcripts.names()),
        "ERRORS": {kind.__name__ for kind in errors.classes()},
        "WARNINGS": {str(code) for code in WarningCode},
    }
    for table, names in known.items():
        for name in sorted(set(getattr(descriptions, table)) - names):
            yield f"docs: {table} of docs/generate/descriptions.py describes {name}, which does not exist"
    for name in sorted({*rest_examples.EXAMPLES, *rest.REQUEST_FIELDS} - set(rest.names())):
        yield f"docs: docs/generate/rest.py or rest_examples.py has {name}, which does not exist"


def _things() -> Iterator[tuple[str, Iterable[str]]]:
    from backend_main.core import conf
    from backend_main.core.errors import CommandError
    from backend_main.core.protocol import parsing
    from backend_main.core.protocol.messages import REPLY_TYPES

    yield "reference/settings.md", (f"### {conf.PREFIX}{f.upper()} " for f in conf.Conf.__struct_fields__)
    leaves = [(name, command) for name, command in commands.commands() if not commands.is_group(command)]
    yield "reference/command-line.md", (f"## {name}\n" for name, _ in leaves)
    shown = (option for _, command in leaves for option in commands.options(command))
    yield "reference/command-line.md", (option for option in shown if not option.startswith("--no-"))
    yield "reference/websocket.md", (f"### {name} " for name in _requests())
    yield "reference/websocket.md", (f"`{reply}`" for reply in REPLY_TYPES.values())
    yield "reference/websocket.md", parsing.FIELD_HELP.values()
    for kind in [*protocol.messages(), *protocol.parts()]:
        yield (
            "reference/websocket.md",
            (f"### {kind.__name__} ", *(f"| `{k}` |" for k in kind.__struct_fields__)),
        )
    yield (
        "reference/errors.md",
        (f"| `{kind.code}`{{" for kind in errors.classes() if kind is not CommandError),
    )
    yield "reference/errors.md", (f"| `{kind.close_code}` |" for kind in errors.classes())
    yield "reference/warnings.md", (f"| `{code}` |" for code in WarningCode)
    yield "reference/rest.md", (f"### {name} " for name in rest.names())
    yield (
        "reference/library.md",
        (f"### {name} " for name in sorted(library.described_names() - {library.VERSION})),
    )


def _descriptions() -> Iterator[tuple[str, str]]:
    for name in _requests():
        yield f"the request {name}", descriptions.REQUESTS.get(name, "")
    for message in [*protocol.messages(), *protocol.parts()]:
        yield f"the message {message.__name__}", descriptions.MESSAGES.get(message.__name__, "")
    for kind in _kinds():
        for field in kind.__struct_fields__:
            yield f"the field {kind.__name__}.{field}", protocol.meaning(kind, field)
    for error in errors.classes():
        yield f"the error {error.__name__}", errors.about(error)
    for code in WarningCode:
        yield f"the warning {code}", warnings.meaning(code)
    for name in rest.names():
        yield f"the route {name}", descriptions.ROUTES.get(name, "")
        for field in rest.missing_fields(name):
            yield f"the field {field} of {name}", ""
    for name in transcripts.names():
        yield f"the transcript {name}", descriptions.TRANSCRIPTS.get(name, "")


def _examples() -> Iterator[tuple[str, object]]:
    for name in _requests():
        request, reply = transcripts.exchange(name)
        yield f"the request {name}", request
        yield f"the reply to {name}", reply
    for message in [*protocol.messages(), *protocol.parts()]:
        yield f"the message {message.__name__}", protocol.example_of(message)
    for name in rest.names():
        yield f"the route {name}", rest_examples.EXAMPLES.get(name)


def _requests() -> dict[str, type[Any]]:
    from backend_main.core.protocol.messages import REQUESTS

    return dict(REQUESTS)


def _kinds() -> list[type[Any]]:
    """Return all types of the reference: requests, messages, parts, and parts of REST responses."""
    from backend_main.core.protocol import search_results

    nested = [kind for example in rest_examples.EXAMPLES.values() for kind in example.nested.values()]
    parts = [search_results.Snippet, search_results.SearchLine]  # of a hit
    return [*_requests().values(), *protocol.messages(), *protocol.parts(), *nested, *parts]


# ── hand-written pages that list things ──


def wrong_glossary(text: str) -> Iterator[str]:
    """Yield terms that are out of order, or there twice."""
    terms = [term.lower() for term in TERM.findall(text)]
    for term, following in itertools.pairwise(terms):
        if term >= following:
            yield f"docs/pages/reference/glossary.md: “{following}” must not follow “{term}”"


def wrong_threats(text: str) -> Iterator[str]:
    """Yield threat ids of tests that the page lacks, and test files of the page that do not exist.

    A row may name the tests of other ids too.
    """
    rows = dict(THREAT.findall(text))
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    used = {found.upper() for path in tests for found in THREAT_OF_TEST.findall(path.read_text())}
    named = {found.upper() for cell in rows.values() for found in re.findall(r"/test_([a-z]\d+)_", cell)}
    for threat in sorted(used - rows.keys() - named):
        yield f"docs/pages/security/threats.md: {threat} is missing, which tests name"
    for threat, cell in rows.items():
        for pattern in re.findall(r"`([^`]+\*)`", cell):
            if not list((ROOT / "tests").glob(pattern)):
                yield f"docs/pages/security/threats.md: {threat} names tests/{pattern}, which does not exist"


# ── commands and settings on pages exist ──


def wrong_commands(texts: dict[str, str]) -> Iterator[str]:
    """Yield commands in shell blocks and inline code with an unknown name or option."""
    known = dict(commands.commands())
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    for page, text in texts.items():
        for program, arguments in _shown_commands(text):
            wrong = (
                _unknown_target(arguments, targets) if program == "make" else _unknown_words(arguments, known)
            )
            if wrong:
                yield f"{page}: `{wrong}` does not exist, in: {program} {arguments.strip()}"


def wrong_paths(texts: dict[str, str]) -> Iterator[str]:
    """Yield paths in inline code that do not exist in the repository or in `backend_main`.

    Folders that a build makes are in .gitignore, and need not exist.
    """
    built = {
        line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")
    }
    for page, text in texts.items():
        if not page.startswith("docs/decisions/"):  # a decision may name a file that is gone
            for path in sorted(set(PATH.findall(FENCE.sub("", text)))):
                # `docs/decisions/0050` stands for the file with that number.
                name = path.rstrip("/")
                if name not in built and not any(
                    any(root.glob(f"{name}*")) for root in (ROOT, ROOT / "backend_main")
                ):
                    yield f"{page}: `{path}` does not exist"


def unknown_settings(texts: dict[str, str]) -> Iterator[str]:
    """Yield unknown `SCANRILL_` variables; a name that ends in _ stands for all settings with that prefix."""
    from backend_main.core import conf

    known = [conf.PREFIX + name.upper() for name in conf.Conf.__struct_fields__]
    known += conf.COMMAND_VARIABLES
    for page, text in texts.items():
        for name in sorted(set(re.findall(rf"\b{conf.PREFIX}[A-Z0-9_]*", text))):
            if name not in known and not (name.endswith("_") and any(k.startswith(name) for k in known)):
                yield f"{page}: {name} is not a setting"


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
    """Return the first word that is neither a command nor its option; placeholders pass."""
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
    except ValueError:  # the pattern cut a quoted argument
        return arguments.split()


def _files() -> list[Path]:
    return sorted(path for pattern in WRITTEN for path in ROOT.glob(pattern))


if __name__ == "__main__":
    main()
