"""Preview of a page in the terminal while the engine reads it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from backend_main.reading import PageStarted

REFRESHES_PER_SECOND = 10
# Rows of the terminal below the text: the caption, and a row for the cursor.
ROWS_BELOW = 2


class LivePreview:
    """Last rows of the page's text so far, and a caption with the page number.

    `clear` removes the preview when the page is done, so that the caller can print the final text instead.
    If `enabled` is False, nothing is shown.
    """

    def __init__(self, name: str, console: Console, *, enabled: bool) -> None:
        self._name = name
        self._console = console
        self._enabled = enabled
        self._text = ""
        self._caption = name
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.clear()

    def begin_page(self, page: PageStarted) -> None:
        """Show an empty preview of the page."""
        self._text = ""
        self._caption = f"{self._name}, page {page.number} of {page.page_count}"
        self._show()

    def append(self, text: str) -> None:
        """Add recognized text; the next refresh shows it."""
        self._text += text

    def clear(self) -> None:
        """Remove the preview from the terminal."""
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
