"""Messages and codes of the warnings of a page."""

from collections.abc import Iterable
from typing import Protocol

from backend_main.reading import PageWarning


class HasWarnings(Protocol):
    """`PageDone`, `PageImage`, or a reader of a page."""

    @property
    def warnings(self) -> Iterable[PageWarning]: ...


def messages_of(page: HasWarnings) -> list[str]:
    return [warning.message for warning in page.warnings]


def codes_of(page: HasWarnings) -> list[str]:
    return [warning.code for warning in page.warnings]
