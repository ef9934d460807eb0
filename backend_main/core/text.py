"""How the texts of pages become the text of a document; pure."""

from collections.abc import Iterable


def join_pages(pages: Iterable[str]) -> str:
    """Pages joined by one blank line; an empty page leaves no trace."""
    return "\n\n".join(page for page in pages if page)
