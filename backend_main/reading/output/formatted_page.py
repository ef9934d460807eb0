"""Final text of a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..types import LineRole


@dataclass(frozen=True)
class FormattedPage:
    """A finished page: its Markdown, its plain text, and the roles of the lines that are page furniture.

    `roles` are by the place of a line in the page's lines, or of a run in its text layer.
    """

    markdown: str
    text: str
    roles: Mapping[int, LineRole] = field(default_factory=dict)
