"""Commands `key …`: API keys of users. They work beside a running server, which follows at once."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up
from .link import find_active_user, find_oldest_user
from .table import print_table

if TYPE_CHECKING:
    from backend_main.core.models import ApiKey, User

OwnerName = Annotated[
    str | None, typer.Option("--user", help="Name of the user. Default: the oldest active user.")
]


def add_key(
    name: Annotated[str, typer.Argument(help="Name that says what uses the key.")],
    user: OwnerName = None,
    scope: Annotated[
        str, typer.Option(help="`write` for everything, `read` for requests that change nothing.")
    ] = "write",
    expires: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Days until the key expires. Default: never.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Create an API key, and print the key and nothing else. It cannot be printed again."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.auth import api_keys

    new = api_keys.create(owner=owner, name=name, scope=scope, expires_in_days=expires)
    print(new.secret)


def list_keys(
    user: OwnerName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per key.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the API keys of a user, the newest first."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.auth import api_keys

    keys = api_keys.active(owner)
    if as_json:
        for key in keys:
            print(json.dumps(_row(key), default=str))
        return
    rows = []
    for key in keys:
        times = (_minute(time) for time in (key.created_at, key.expires_at, key.last_used_at))
        rows.append((key.name, f"{key.prefix}_…", key.scope, *times))
    print_table(("name", "key", "scope", "created", "expires", "last used"), rows)


def revoke_keys(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of the keys, or their beginnings, such as scr_5f1c09ab.")
    ] = None,
    is_all: Annotated[bool, typer.Option("--all", help="Revoke all keys of the user.")] = False,
    user: OwnerName = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke API keys: they are invalid at once, and their sockets close."""
    if bool(names) == is_all:
        raise typer.BadParameter("expected the names of keys, or --all")
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.auth import api_keys

    keys = [key for key in api_keys.active(owner) if is_all or {key.name, key.prefix} & {*(names or ())}]
    unknown = {*(names or ())} - {text for key in keys for text in (key.name, key.prefix)}
    if unknown:
        raise CommandError(
            f'{owner.get_username()} has no key "{min(unknown)}". List the keys with `scanrill key list`.'
        )
    for key in keys:
        api_keys.revoke(owner=owner, key_id=key.pk)
    print(f"Revoked: {', '.join(key.name for key in keys) or 'no key'}.", file=sys.stderr)


def set_up_and_find(name: str | None, data_dir: Path | None) -> User:
    """Return the active user with this name, or the oldest one. Raises `CommandError`."""
    set_up(data_dir)
    user = find_active_user(name) if name else find_oldest_user()
    if user is None:
        raise CommandError("No active user. Create one with `scanrill user add NAME`.")
    return user


def _row(key: ApiKey) -> dict[str, object]:
    fields = ("name", "prefix", "scope", "created_at", "expires_at", "last_used_at")
    return {field: getattr(key, field) for field in fields}


def _minute(time: dt.datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M") if time else ""
