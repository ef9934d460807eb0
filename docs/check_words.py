"""Check of the word list in Markdown, Python and TypeScript: prose, docstrings, comments, messages, names."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import word_list

ROOT = Path(__file__).parents[1]
SENTENCE = re.compile(r"(?<=[.!?])[\"”)]*\s+(?=[\"“(]?[A-Z])|\n\s*\n|(?:^|\n)\s*(?:[-*]|\d+\.|#+)\s|[|]")
FENCE = re.compile(r"^( *)```.*?^\1```[^\n]*$", re.MULTILINE | re.DOTALL)
MARKDOWN_CODE = re.compile(r"`[^`\n]+`|<!--.*?-->|\]\([^)]*\)|^---\n.*?\n---$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
TYPESCRIPT = re.compile(
    r"(?P<comment>/\*.*?\*/|(?<![:\"'`])//[^\n]*)|(?P<text>\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`)|(?P<jsx>>[^<>{}=;]+<)",
    re.DOTALL,
)
IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
NAME_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
STAR = re.compile(r"^\s*(?:\*|//+|/\*\*?|#)\s?", re.MULTILINE)
_words = {re.compile(rf"\b(?:{word})\b", re.IGNORECASE): advice for word, advice in word_list.WORDS.items()}
_openers = {re.compile(opener): advice for opener, advice in word_list.OPENERS.items()}
_allowed = re.compile("|".join(word_list.ALLOWED), re.IGNORECASE)


class Text(NamedTuple):
    """Prose of a file, and the line where it begins."""

    line: int
    text: str


def problems() -> Iterator[str]:
    """Yield `file:line: what (advice)` for all files of the list."""
    for path in files():
        yield from problems_in(str(path.relative_to(ROOT)), path.read_text())


def files() -> list[Path]:
    """Return the files of `word_list.PATHS`, sorted."""
    found = {path for pattern in word_list.PATHS for path in ROOT.glob(pattern) if path.is_file()}
    suffixes = {".md", ".py", ".ts", ".tsx"}
    return sorted(
        p for p in found if p.suffix in suffixes and str(p.relative_to(ROOT)) not in word_list.EXCLUDED
    )


def problems_in(name: str, content: str) -> Iterator[str]:
    """Yield the problems of one file; its suffix determines what is prose."""
    suffix = Path(name).suffix
    read = {".md": _markdown, ".py": _python}.get(suffix, _typescript)
    for text in read(content):
        yield from _prose_problems(name, text)
    if suffix != ".md":
        yield from _name_problems(name, content)


def _prose_problems(name: str, text: Text) -> Iterator[str]:
    prose = _allowed.sub(lambda found: " " * len(found[0]), text.text)
    for pattern, advice in _words.items():
        for found in pattern.finditer(prose):
            yield _problem(name, text, found.start(), f"“{' '.join(found[0].split())}”", advice)
    for start, sentence in _sentences(prose):
        for opener, advice in _openers.items():
            if sentence.endswith(".") and opener.match(" ".join(sentence.split())):
                yield _problem(
                    name, text, start, f"a sentence that begins “{' '.join(sentence.split()[:4])}”", advice
                )


def _problem(name: str, text: Text, position: int, what: str, advice: str) -> str:
    return f"{name}:{text.line + text.text.count(chr(10), 0, position)}: {what} (better: {advice})"


def _sentences(prose: str) -> Iterator[tuple[int, str]]:
    start = 0
    for found in [*SENTENCE.finditer(prose), None]:
        end = found.start() if found else len(prose)
        raw = prose[start:end]
        if stripped := raw.strip(' \t\n"“*_'):
            yield start + len(raw) - len(raw.lstrip()), stripped
        start = found.end() if found else end


def _name_problems(name: str, content: str) -> Iterator[str]:
    used = (
        _python_names(content) if name.endswith(".py") else IDENTIFIER.findall(TYPESCRIPT.sub(" ", content))
    )
    for identifier in sorted({Path(name).stem, *used}):
        parts = {part.lower() for part in NAME_PART.findall(identifier)}
        for part in sorted(parts & word_list.NAME_PARTS):
            yield f"{name}: the name {identifier} (“{part}” is on the word list)"


def _markdown(content: str) -> Iterator[Text]:
    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    prose = HEADING.sub(blank, MARKDOWN_CODE.sub(blank, FENCE.sub(blank, content)))
    yield Text(1, prose)


def _python(content: str) -> Iterator[Text]:
    """Comments; strings with a space, such as docstrings and messages."""
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.COMMENT:
            yield Text(token.start[0], STAR.sub("", token.string))
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Text(node.lineno, re.sub(r"`[^`\n]+`", lambda found: " " * len(found[0]), node.value))


def _python_names(content: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(content).readline)
    return [token.string for token in tokens if token.type == tokenize.NAME]


def _typescript(content: str) -> Iterator[Text]:
    for found in TYPESCRIPT.finditer(content):
        raw = found[0]
        text = STAR.sub("", raw) if found.lastgroup == "comment" else raw[1:-1]
        if " " in text:
            line = content.count("\n", 0, found.start()) + 1
            yield Text(line, re.sub(r"`[^`\n]+`", lambda code: " " * len(code[0]), text))
