"""What a person at a terminal sees of a page while it is read: its text as it comes, until it is done."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from backend_main.reading import PageStarted

REFRESHES_PER_SECOND = 10
# Of the terminal's height: what is below the text, and a row for the cursor.
ROWS_BELOW = 2


class LivePreview:
    """The end of a page's text so far, as much as there is room for, and how far the document is.

    It is wiped when the page is done: what the page says in the end is printed in its place, once and for
    all. Where `enabled` is False nothing is shown.
    """

    def __init__(self, name: str, console: Console, *, enabled: bool) -> None:
        self._name, self._console, self._enabled = name, console, enabled
        self._text = self._caption = ""
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._caption = self._name
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.clear()

    def begin_page(self, page: PageStarted) -> None:
        self._text, self._caption = "", f"{self._name}, page {page.number} of {page.page_count}"
        self._show()

    def append(self, text: str) -> None:
        self._text += text

    def clear(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _show(self) -> None:
        if self._enabled and self._live is None:
            self._live = Live(
                self, console=self._console, transient=True, refresh_per_second=REFRESHES_PER_SECOND
            )
            self._live.start(refresh=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = Text(self._text).wrap(console, options.max_width)
        yield from rows[-max(1, console.height - ROWS_BELOW) :]
        yield Text(self._caption, style="dim")
