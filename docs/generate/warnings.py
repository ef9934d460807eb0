"""Generator of the page of codes of warnings, from `reading/warning_codes.py`."""

from __future__ import annotations

from backend_main.reading import WarningCode

from . import descriptions
from .markdown import code, page, table


def page_of_warnings() -> str:
    return page(
        "Codes of warnings",
        "Every code of a warning about a page, what it means, and what to do.",
        "A warning reports text of a page that is missing or uncertain, or another fact of the page. It has "
        "a `code`, a `message`, `boxes` (places on the page) and a `share` of the page's print. Programs can "
        "rely on the codes. The messages are for people and may change; later versions may add codes.",
        "`GET /api/uploads/{id}/pages/{n}`, `scanrill read --format json`, `PageDone.warnings` of the Python "
        "library and the pages of both clients have the whole warnings. The `warnings` of an upload are the "
        "messages of its pages.",
        table(("code", "meaning", "what to do"), map(_row, WarningCode)),
    )


def meaning(warning: WarningCode) -> str:
    """Return the meaning of a code, or an empty string."""
    return descriptions.WARNINGS.get(warning, ("", ""))[0]


def _row(warning: WarningCode) -> tuple[str, str, str]:
    return code(warning), *descriptions.WARNINGS.get(warning, ("", ""))
