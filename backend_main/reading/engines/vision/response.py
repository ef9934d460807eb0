"""Step 10 - pieces of a model's answer → what is shown of it at once, and the page's Markdown in the end.

What a model says is as little trusted as what stands on the page: no HTML and no address of a picture of it
goes further. Marks of a model's own are left out, and none is shown by halves: what may yet become one waits.
"""

import re
from abc import ABC, abstractmethod

from . import doctags
from .html_tables import TABLE, from_html, pipe_table

# Special tokens, DeepSeek-OCR's places of what it read, and what a model thought before it answered.
_MODEL_TOKENS = re.compile(
    r"<\|ref\|>.*?<\|/ref\|>(?:<\|det\|>.*?<\|/det\|>)?\n?|<\|[^|<>]*\|>|<think>.*?</think>\s*", re.DOTALL
)
_FENCED = re.compile(r"\A\s*```(?:markdown|md)?[ \t]*\n(.*?)(?:\n```\s*)?\Z", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\([^()]*\)")
_REFERENCE_IMAGE = re.compile(r"!\[(?![^\[\]]*\]\(\))")
_ADDRESS = re.compile(r"^(\s*)(?=\[[^\]\n]+\]:)", re.MULTILINE)
# What HTML or an autolink could begin with; one backslash shows it as it stands, two show a backslash.
_HTML = re.compile(r"(?<!\\)((?:\\\\)*)<(?=[A-Za-z/!?])")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TABLE_TAG = re.compile(r"</?(?:table|thead|tbody|tr|td|th|caption)\b[^<>]*>", re.IGNORECASE)
# At the end of what came: what more of it may make a mark, or what a mark has opened.
_UNFINISHED = (
    re.compile(r"<\|ref\|>(?:(?!<\|/det\|>).)*\Z", re.DOTALL),
    re.compile(r"<think>(?:(?!</think>).)*\Z", re.DOTALL),
    re.compile(r"<(?:[A-Za-z/!?|][^<>\n]{0,200})?\Z"),
    re.compile(r"!\Z"),
    re.compile(r"!?\[[^\]\n]{0,400}(?:\](?:\([^)\n]{0,400})?)?\Z"),
    re.compile(r"(?:\A|\n)\s*`{1,3}[a-z]*\s*\Z"),
    re.compile(r"\\+\Z"),
)
MAX_HELD_CHARACTERS = 4_000
FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)


class ResponseParser(ABC):
    """`raw` is all that came. Fed piece by piece; what `feed` gives is to be shown behind what it gave."""

    def __init__(self) -> None:
        self.raw = ""
        self._flushed_characters = 0

    def feed(self, piece: str) -> str:
        self.raw += piece
        end = self._safe_end()
        part, self._flushed_characters = self.raw[self._flushed_characters : end], end
        return self.safe_partial(part)

    def _safe_end(self) -> int:
        waiting = self.raw[self._flushed_characters :]
        start = min(
            (found.start() for pattern in _UNFINISHED if (found := pattern.search(waiting))),
            default=len(waiting),
        )
        return (
            len(self.raw) if len(waiting) - start > MAX_HELD_CHARACTERS else self._flushed_characters + start
        )

    @abstractmethod
    def safe_partial(self, part: str) -> str:
        """A part of the answer in which nothing is broken, as it may be shown."""

    @abstractmethod
    def markdown(self) -> str:
        """The whole of it."""


class MarkdownResponse(ResponseParser):
    """Of models that write Markdown, with tables in HTML or without."""

    def safe_partial(self, part: str) -> str:
        part = re.sub(r"(?m)^```(?:markdown|md)?[ \t]*\n?", "", _MODEL_TOKENS.sub("", part))
        part = re.sub(r"</tr\s*>\s*", "\n", part, flags=re.IGNORECASE)
        part = re.sub(r"</t[dh]>\s*", " | ", part, flags=re.IGNORECASE)
        return sanitize_markdown(_TABLE_TAG.sub("", part))

    def markdown(self) -> str:
        text = _MODEL_TOKENS.sub("", self.raw)
        if fenced := _FENCED.match(text):
            text = fenced[1]
        return sanitize_markdown(TABLE.sub(_as_pipes, text)).strip()


class FrontMatterResponse(MarkdownResponse):
    """olmOCR's: what it thinks of the page stands before its text, between lines of dashes."""

    def _safe_end(self) -> int:
        if not self._flushed_characters and self._may_begin_with_it():
            found = FRONT_MATTER.match(self.raw)
            if found is None:
                return 0
            self._flushed_characters = found.end()
        return super()._safe_end()

    def _may_begin_with_it(self) -> bool:
        begun = self.raw.lstrip()
        return ("---".startswith(begun) or begun.startswith("---")) and len(begun) < MAX_HELD_CHARACTERS

    def markdown(self) -> str:
        whole = self.raw
        self.raw = FRONT_MATTER.sub("", whole)
        try:
            return super().markdown()
        finally:
            self.raw = whole


class DocTagsResponse(ResponseParser):
    def safe_partial(self, part: str) -> str:
        return doctags.shown(part)

    def markdown(self) -> str:
        return doctags.to_markdown(self.raw)


def sanitize_markdown(text: str) -> str:
    """Markdown with no HTML in it, and no picture that would be fetched from somewhere."""
    text = _REFERENCE_IMAGE.sub(r"!\\[", _IMAGE.sub(r"![\1]()", _BREAK.sub(" ", text)))
    return _HTML.sub(r"\1\\<", _ADDRESS.sub(r"\1\\", text))


def _as_pipes(found: re.Match[str]) -> str:
    return "\n\n" + pipe_table(from_html(found[0])) + "\n\n"
