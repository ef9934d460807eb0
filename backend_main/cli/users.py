"""Commands `user …` and `token`. All work beside a running server, which follows within about a second."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up
from .link import find_active_user
from .table import print_table

if TYPE_CHECKING:
    from backend_main.core.models import User


NewPassword = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
UserName = Annotated[str, typer.Argument(help="Name of the user.")]


def add_user(
    name: Annotated[str, typer.Argument(help="Name of the new user.")],
    password_stdin: NewPassword = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Create a user who can sign in only by links and tokens.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a user. On a terminal, the command prompts for the password."""
    password = None if no_password else _read_password(from_stdin=password_stdin)
    set_up(data_dir)
    from backend_main.core.models import User

    user = User(username=name)
    user.set_password(password)
    _check(user, password)
    user.save()
    is_intended = password is not None or no_password
    hint = "" if is_intended else f" without a password. Set one with `scanrill user password {name}`"
    print(f"User {name} added{hint}.", file=sys.stderr)


def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per user.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the users: whether each is active and has a password, and the number of sessions and uploads."""
    set_up(data_dir)
    from backend_main.core.auth import user_admin

    users = user_admin.overview()
    if as_json:
        for user in users:
            print(json.dumps(user._asdict(), default=str))
        return
    rows = []
    for user in users:
        state = "active" if user.is_active else "deactivated"
        sign_in = "password" if user.has_password else "link or token"
        last = user.last_session_at.strftime("%Y-%m-%d %H:%M") if user.last_session_at else ""
        rows.append((user.name, state, sign_in, str(user.sessions), last, str(user.uploads)))
    print_table(("user", "state", "sign-in", "sessions", "last session", "uploads"), rows)


def set_user_password(
    name: UserName,
    password_stdin: NewPassword = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Remove the password: only links and tokens are left.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Set a new password. All sessions of the user end, and all tokens are revoked."""
    password = None if no_password else _read_password(from_stdin=password_stdin)
    if password is None and not no_password:
        raise CommandError("No password. Pass --password-stdin, or --no-password to remove it.")
    user = _set_up_and_find(name, data_dir)
    _check(user, password)
    from backend_main.core.auth import user_admin

    user_admin.set_password(user, password)
    print(f"User {name} has a new password, and is signed out everywhere.", file=sys.stderr)


def deactivate_user(name: UserName, data_dir: DataDir = None) -> None:
    """Deactivate a user: open sockets close, and no sign-in is possible. Uploads stay."""
    user = _set_up_and_find(name, data_dir)
    from backend_main.core.auth import user_admin

    user_admin.deactivate(user)
    print(f"User {name} is deactivated.", file=sys.stderr)


def activate_user(name: UserName, data_dir: DataDir = None) -> None:
    """Activate a user again. Earlier tokens and sessions stay invalid."""
    user = _set_up_and_find(name, data_dir)
    from backend_main.core.auth import user_admin

    user_admin.activate(user)
    print(f"User {name} is active.", file=sys.stderr)


def sign_user_out(name: UserName, data_dir: DataDir = None) -> None:
    """Sign a user out everywhere: all sessions end, all tokens are revoked, open sockets close."""
    user = _set_up_and_find(name, data_dir)
    from backend_main.core.auth import sessions

    sessions.end_all(user)
    print(f"User {name} is signed out everywhere.", file=sys.stderr)


def delete_user(
    name: UserName,
    is_confirmed: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a user with all uploads, files and texts."""
    user = _set_up_and_find(name, data_dir)
    from backend_main.core.uploads import owners

    if not is_confirmed:
        if not sys.stdin.isatty():
            raise CommandError(f"This deletes all uploads of {name}. Pass --yes to confirm.")
        count = user.uploads.count()
        typer.confirm(f"Delete user {name} with {count} uploads, files and texts?", abort=True, err=True)
    owners.delete_owner(user)
    print(f"User {name} is deleted.", file=sys.stderr)


def token(
    name: Annotated[str, typer.Argument(help="Name of the user.")],
    ttl: Annotated[
        str, typer.Option(help="Lifetime of the token: a number and s, m, h or d, such as 15m.")
    ] = "1h",
    data_dir: DataDir = None,
) -> None:
    """Print an access token of a user and nothing else."""
    try:
        from backend_main.core.conf_types import parse_duration

        lifetime = dt.timedelta(seconds=parse_duration(ttl))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ttl") from None
    set_up(data_dir)
    from backend_main.core.auth import authentication

    print(authentication.issue_access_token(find_active_user(name), lifetime))


def _read_password(*, from_stdin: bool) -> str | None:
    """Return a new password; None if there is neither `--password-stdin` nor a terminal."""
    if from_stdin:
        return sys.stdin.read().removesuffix("\n")
    if not sys.stdin.isatty():
        return None
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _set_up_and_find(name: str, data_dir: Path | None) -> User:
    """Return the user with this name, active or not. Raises `CommandError`."""
    set_up(data_dir)
    from backend_main.core.models import User

    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f'No user "{name}". List the users with `scanrill user list`.')
    return user


def _check(user: User, password: str | None) -> None:
    """Raise `CommandError` for a name or a password that is not valid."""
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    try:
        user.full_clean(exclude=["password"])
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
