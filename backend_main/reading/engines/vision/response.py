"""Parsers of a model's response: deltas → text to show at once, whole response → Markdown of the page.

The response is untrusted: the parsers remove HTML and image addresses. They also remove the markup of the
model. They hold back the end of the response while it may be the start of markup.
"""

import re
from abc import ABC, abstractmethod

from ....control_characters import remove_controls
from . import doctags
from .html_tables import TABLE, from_html, pipe_table

# Special tokens, the text positions of DeepSeek-OCR, and the reasoning of a model.
_MODEL_TOKENS = re.compile(
    r"<\|ref\|>.*?<\|/ref\|>(?:<\|det\|>.*?<\|/det\|>)?\n?|<\|[^|<>]*\|>|<think>.*?</think>\s*", re.DOTALL
)
_CODE_FENCE = re.compile(r"\A\s*```(?:markdown|md)?[ \t]*\n(.*?)(?:\n```\s*)?\Z", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\([^()]*\)")
_REFERENCE_IMAGE = re.compile(r"!\[(?![^\[\]]*\]\(\))")
_REFERENCE_DEFINITION = re.compile(r"^(\s*)(?=\[[^\]\n]+\]:)", re.MULTILINE)
# Start of HTML or of an autolink, unless an odd number of backslashes escapes it.
_HTML = re.compile(r"(?<!\\)((?:\\\\)*)<(?=[A-Za-z/!?])")
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TABLE_TAG = re.compile(r"</?(?:table|thead|tbody|tr|td|th|caption)\b[^<>]*>", re.IGNORECASE)
# Unfinished markup at the end of the response so far.
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
"""Maximum length of unfinished markup; longer text is shown as it is."""
_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)


class ResponseParser(ABC):
    """Parser of one response. `raw` is the response so far."""

    def __init__(self) -> None:
        self.raw = ""
        self._flushed_characters = 0

    def feed(self, text: str) -> str:
        """Add a piece of the response; return the text to append to what is shown."""
        self.raw += remove_controls(text)
        end = self._safe_end()
        part = self.raw[self._flushed_characters : end]
        self._flushed_characters = end
        return self.safe_partial(part)

    def _safe_end(self) -> int:
        """Return the index in `raw` before which no markup is unfinished."""
        pending = self.raw[self._flushed_characters :]
        starts = [match.start() for pattern in _UNFINISHED if (match := pattern.search(pending))]
        start = min(starts, default=len(pending))
        is_too_long = len(pending) - start > MAX_HELD_CHARACTERS
        return len(self.raw) if is_too_long else self._flushed_characters + start

    @abstractmethod
    def safe_partial(self, part: str) -> str:
        """Return the text to show for a part of the response without unfinished markup."""

    @abstractmethod
    def markdown(self) -> str:
        """Return the Markdown of the whole response."""


class MarkdownResponse(ResponseParser):
    """Parser for models that write Markdown, with tables as Markdown or HTML."""

    def safe_partial(self, part: str) -> str:
        part = re.sub(r"(?m)^```(?:markdown|md)?[ \t]*\n?", "", _MODEL_TOKENS.sub("", part))
        part = re.sub(r"</tr\s*>\s*", "\n", part, flags=re.IGNORECASE)
        part = re.sub(r"</t[dh]>\s*", " | ", part, flags=re.IGNORECASE)
        return sanitize_markdown(_TABLE_TAG.sub("", part))

    def markdown(self) -> str:
        return self._to_markdown(self.raw)

    def _to_markdown(self, response: str) -> str:
        text = _MODEL_TOKENS.sub("", response)
        if fenced := _CODE_FENCE.match(text):
            text = fenced[1]
        text = TABLE.sub(lambda table: f"\n\n{pipe_table(from_html(table[0]))}\n\n", text)
        return sanitize_markdown(text).strip()


class FrontMatterResponse(MarkdownResponse):
    """Parser for olmOCR, whose text follows front matter about the page."""

    def _safe_end(self) -> int:
        if not self._flushed_characters:
            response = self.raw.lstrip()
            may_have_front_matter = "---".startswith(response[:3])  # the response may have less than three
            if may_have_front_matter and len(response) < MAX_HELD_CHARACTERS:
                front_matter = _FRONT_MATTER.match(self.raw)
                if front_matter is None:
                    return 0
                self._flushed_characters = front_matter.end()
        return super()._safe_end()

    def markdown(self) -> str:
        return self._to_markdown(_FRONT_MATTER.sub("", self.raw))


class DocTagsResponse(ResponseParser):
    """Parser for granite-docling."""

    def safe_partial(self, part: str) -> str:
        return doctags.to_partial_markdown(part)

    def markdown(self) -> str:
        return doctags.to_markdown(self.raw)


def sanitize_markdown(text: str) -> str:
    """Escape HTML, and remove the addresses of images."""
    text = _LINE_BREAK_TAG.sub(" ", text)
    text = _IMAGE.sub(r"![\1]()", text)
    text = _REFERENCE_IMAGE.sub(r"!\\[", text)
    text = _REFERENCE_DEFINITION.sub(r"\1\\", text)
    return _HTML.sub(r"\1\\<", text)
