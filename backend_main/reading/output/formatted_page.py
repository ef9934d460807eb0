"""Final text of a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FormattedPage:
    """A finished page: its Markdown and its plain text."""

    markdown: str
    text: str
