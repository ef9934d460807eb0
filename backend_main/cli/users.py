"""Commands `user add` and `token`. Both work on an empty data directory and beside a running server."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import DataDir, set_up
from .link import find_active_user


def add_user(
    name: Annotated[str, typer.Argument(help="Name of the new user.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Create a user who can sign in only by links and tokens.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a user. On a terminal, the command prompts for the password."""
    password: str | None = None
    if password_stdin:
        password = sys.stdin.read().removesuffix("\n")
    elif not no_password and sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    set_up(data_dir)
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    from backend_main.core.models import User

    user = User(username=name)
    user.set_password(password)
    try:
        user.full_clean(exclude=["password"])
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    user.save()
    print(f"User {name} added.", file=sys.stderr)


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
