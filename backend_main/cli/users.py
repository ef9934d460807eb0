"""`scanrill user add` and `scanrill token`: work on an empty data directory and beside a running server."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up

if TYPE_CHECKING:
    from backend_main.core.models import User


def add_user(
    name: Annotated[str, typer.Argument(help="The new user's name.")],
    password_stdin: Annotated[bool, typer.Option(help="Read the password from standard input.")] = False,
    no_password: Annotated[bool, typer.Option(help="No password: tokens only.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a user. Asks for a password on a terminal; without one the user has tokens only."""
    password = _read_password(from_stdin=password_stdin, none=no_password)
    set_up(data_dir)
    from django.core.exceptions import ValidationError

    from backend_main.core.models import User

    user = User(username=name)
    user.set_password(password)
    try:
        user.full_clean(exclude=["password"])
        _validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    user.save()
    print(f"User {name} added.", file=sys.stderr)


def token(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    ttl: Annotated[str, typer.Option(help="How long it is valid: 90s, 15m, 1h, 7d.")] = "1h",
    data_dir: DataDir = None,
) -> None:
    """Print one access token, and nothing else."""
    lifetime = _parse_ttl(ttl)
    set_up(data_dir)
    from backend_main.core.auth import authentication
    from backend_main.core.models import User

    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {name}; `scanrill user add {name}` makes one.")
    print(authentication.issue_access_token(user, lifetime))


def _read_password(*, from_stdin: bool, none: bool) -> str | None:
    if from_stdin:
        return sys.stdin.read().removesuffix("\n")
    if none or not sys.stdin.isatty():
        return None
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _validate_password(password: str | None, user: User) -> None:
    from django.contrib.auth.password_validation import validate_password

    if password is not None:
        validate_password(password, user)


def _parse_ttl(text: str) -> dt.timedelta:
    try:
        from backend_main.core.conf import parse_duration

        return dt.timedelta(seconds=parse_duration(text))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ttl") from None
