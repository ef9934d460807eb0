"""Commands `search` and `rebuild-index`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from backend_main.control_characters import mark_controls
from backend_main.core.errors import CommandError, RequestError

from .data_dir import DataDir, set_up
from .link import find_active_user, find_oldest_user

if TYPE_CHECKING:
    from backend_main.core.protocol.search_results import SearchHit, Snippet

OPEN_MARK, CLOSE_MARK = "\033[1m", "\033[0m"


def search(
    query: Annotated[
        list[str],
        typer.Argument(
            help='Words; "a phrase"; prefix*; -without; name:, status:, before:, after:. '
            "Write -- before a query that begins with a minus sign."
        ),
    ],
    user: Annotated[
        str | None, typer.Option(help="Name of the user. Default: the oldest active user.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of hits.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with lines and boxes.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Find pages, file names and corrections of a user, best first. Exit code 1 if nothing is found."""
    set_up(data_dir)
    from backend_main.core.search import hits

    owner = find_active_user(user) if user else find_oldest_user()
    if owner is None:
        raise CommandError("No active user. Create one with `scanrill user add NAME`.")
    try:
        found = hits.search(owner=owner, q=" ".join(query), limit=limit)
    except RequestError as error:
        raise CommandError(error.fields["q"]) from None
    if as_json:
        print(json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False))
    else:
        for hit in found.hits:
            print(f"{_title(hit)}\n    {_marked(hit.snippet)}")
    if not found.complete:
        print("Not all texts are in the index yet: `scanrill sweep` adds them.", file=sys.stderr)
    if not found.hits:
        raise typer.Exit(1)


def rebuild_index(data_dir: DataDir = None) -> None:
    """Delete the search index and build it again, as after damage to the database. The server may run."""
    set_up(data_dir)
    from backend_main.core.search import index

    index.clear()
    print(f"Indexed {index.index_missing():,} pages and uploads.")


def _title(hit: SearchHit) -> str:
    place = f", page {hit.page}" if hit.page is not None else ""
    return f"{mark_controls(hit.upload.filename)}{place} ({hit.upload.id})"


def _marked(snippet: Snippet) -> str:
    """Return the snippet in one line; on a terminal, with the words of the query in bold."""
    if not sys.stdout.isatty():
        return mark_controls(" ".join(snippet.text.split()))
    text, at = "", 0
    for start, end in snippet.marks:
        word = mark_controls(snippet.text[start:end])
        text += f"{mark_controls(snippet.text[at:start])}{OPEN_MARK}{word}{CLOSE_MARK}"
        at = end
    return text + mark_controls(snippet.text[at:])
