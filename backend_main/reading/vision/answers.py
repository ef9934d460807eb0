"""Step 10 - pieces of a model's answer → what is shown of it at once, and the page's Markdown in the end.

What a model says is as little trusted as what stands on the page: no HTML and no address of a picture of it
goes further. Marks of a model's own are left out, and none is shown by halves: what may yet become one waits.
"""

import re
from abc import ABC, abstractmethod

from . import doctags
from .tables import TABLE, from_html, pipe_table

# Special tokens, DeepSeek-OCR's places of what it read, and what a model thought before it answered.
_LEFT_OUT = re.compile(
    r"<\|ref\|>.*?<\|/ref\|>(?:<\|det\|>.*?<\|/det\|>)?\n?|<\|[^|<>]*\|>|<think>.*?</think>\s*", re.DOTALL
)
_FENCED = re.compile(r"\A\s*```(?:markdown|md)?[ \t]*\n(.*?)(?:\n```\s*)?\Z", re.DOTALL)
_PICTURE = re.compile(r"!\[([^\[\]]*)\]\([^()]*\)")
_OTHER_PICTURE = re.compile(r"!\[(?![^\[\]]*\]\(\))")
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
LONGEST_WAIT = 4_000
FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)


class Answer(ABC):
    """`said` is all that came. Fed piece by piece; what `feed` gives is to be shown behind what it gave."""

    def __init__(self) -> None:
        self.said = ""
        self._settled = 0

    def feed(self, piece: str) -> str:
        self.said += piece
        end = self._safe_end()
        part, self._settled = self.said[self._settled : end], end
        return self.shown(part)

    def _safe_end(self) -> int:
        waiting = self.said[self._settled :]
        start = min(
            (found.start() for pattern in _UNFINISHED if (found := pattern.search(waiting))),
            default=len(waiting),
        )
        return len(self.said) if len(waiting) - start > LONGEST_WAIT else self._settled + start

    @abstractmethod
    def shown(self, part: str) -> str:
        """A part of the answer in which nothing is broken, as it may be shown."""

    @abstractmethod
    def markdown(self) -> str:
        """The whole of it."""


class MarkdownAnswer(Answer):
    """Of models that write Markdown, with tables in HTML or without."""

    def shown(self, part: str) -> str:
        part = re.sub(r"(?m)^```(?:markdown|md)?[ \t]*\n?", "", _LEFT_OUT.sub("", part))
        part = re.sub(r"</tr\s*>\s*", "\n", part, flags=re.IGNORECASE)
        part = re.sub(r"</t[dh]>\s*", " | ", part, flags=re.IGNORECASE)
        return harmless(_TABLE_TAG.sub("", part))

    def markdown(self) -> str:
        text = _LEFT_OUT.sub("", self.said)
        if fenced := _FENCED.match(text):
            text = fenced[1]
        return harmless(TABLE.sub(_as_pipes, text)).strip()


class FrontMatterAnswer(MarkdownAnswer):
    """olmOCR's: what it thinks of the page stands before its text, between lines of dashes."""

    def _safe_end(self) -> int:
        if not self._settled and self._may_begin_with_it():
            found = FRONT_MATTER.match(self.said)
            if found is None:
                return 0
            self._settled = found.end()
        return super()._safe_end()

    def _may_begin_with_it(self) -> bool:
        begun = self.said.lstrip()
        return ("---".startswith(begun) or begun.startswith("---")) and len(begun) < LONGEST_WAIT

    def markdown(self) -> str:
        whole = self.said
        self.said = FRONT_MATTER.sub("", whole)
        try:
            return super().markdown()
        finally:
            self.said = whole


class DocTagsAnswer(Answer):
    def shown(self, part: str) -> str:
        return doctags.shown(part)

    def markdown(self) -> str:
        return doctags.to_markdown(self.said)


def harmless(text: str) -> str:
    """Markdown with no HTML in it, and no picture that would be fetched from somewhere."""
    text = _OTHER_PICTURE.sub(r"!\\[", _PICTURE.sub(r"![\1]()", _BREAK.sub(" ", text)))
    return _HTML.sub(r"\1\\<", _ADDRESS.sub(r"\1\\", text))


def _as_pipes(found: re.Match[str]) -> str:
    return "\n\n" + pipe_table(from_html(found[0])) + "\n\n"
