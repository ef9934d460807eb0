"""Command `link`, and the sign-in link that `serve` prints at its start."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from backend_main.core.errors import CommandError

from .data_dir import (
    DataDir,
    is_loopback,
    running_server,
    set_up,
)
from .messages import print_message

if TYPE_CHECKING:
    from backend_main.core.models import User

DEFAULT_URL = "http://127.0.0.1:8000"


def link(
    name: Annotated[
        str | None, typer.Argument(help="Name of the user. Default: the oldest active user.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="URL at which users reach the server, such as https://scans.example. "
            "Default: the address of the running server."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Print a sign-in link and nothing else. The link works once, for 10 minutes."""
    public_url = _parse_url(url) if url else None
    conf = set_up(data_dir)
    from backend_main.core.auth import authentication

    authentication.check_can_sign()
    user = find_active_user(name) if name else find_oldest_user()
    if user is None:
        raise CommandError("No active user. Create one with `scanrill user add NAME`.")

    if public_url is None:
        public_url = running_server(conf.data_dir)
        if public_url is None:
            message = "No server runs on this data directory. Start one to use the link."
            print_message(message)
            public_url = DEFAULT_URL
        elif not is_loopback(urlsplit(public_url).hostname or ""):
            raise CommandError(f"The server listens on {public_url}. Set the URL for users with --url.")
    print(sign_in_link(user, public_url))


def sign_in_link(user: User, url: str) -> str:
    """Create a sign-in link. Its code is in the fragment, which browsers do not send, so no log has it."""
    from backend_main.core.auth import sign_in_codes

    return f"{url}/#code={sign_in_codes.issue_code(user)}"


def find_active_user(name: str) -> User:
    """Return the active user with this name.

    Raises:
        CommandError: no active user has the name.
    """
    from backend_main.core.models import User

    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f'No active user "{name}". Create one with `scanrill user add {name}`.')
    return user


def find_oldest_user() -> User | None:
    """Return the active user who joined first."""
    from backend_main.core.models import User

    return User.objects.filter(is_active=True).order_by("date_joined", "pk").first()


def create_first_user() -> User | None:
    """Create the first user, without a password.

    Returns:
        The user; None if users exist already, active or not.
    """
    from django.core.exceptions import ValidationError
    from django.db import IntegrityError

    from backend_main.core.models import User

    if User.objects.exists():
        return None
    user = User(username=_login_name())
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"], validate_unique=False)
    except ValidationError:
        user.username = "scanrill"
    try:
        user.save()
    except IntegrityError:  # another server on this database created it at the same time
        return find_oldest_user()
    return user


def _login_name() -> str:
    """Return the login name of the operating system; empty if the user id has no name (some containers)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _parse_url(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise typer.BadParameter(
            "expected http:// or https:// and a host, perhaps with a path", param_hint="--url"
        )
    return parts.geturl()
