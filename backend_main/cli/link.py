"""`scanrill link`: another sign-in link; works beside a running server, and `serve` prints one itself."""

from __future__ import annotations

import getpass
import sys
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

if TYPE_CHECKING:
    from backend_main.core.models import User

DEFAULT_URL = "http://127.0.0.1:8000"


def link(
    name: Annotated[str | None, typer.Argument(help="The user's name; none: the oldest active user.")] = None,
    url: Annotated[
        str | None, typer.Option(help="How users reach the server, as https://scans.example.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Print a link that signs a user in once, within 10 minutes, and nothing else."""
    address = _parse_url(url) if url else None
    conf = set_up(data_dir)
    user = _find_user(name)
    print(sign_in_link(user, address or _link_address(running_server(conf.data_dir))))


def sign_in_link(user: User, address: str) -> str:
    """A new link. The code stands behind a `#`, which no browser sends and so no log holds."""
    from backend_main.core.auth import sign_in_codes

    return f"{address}/#code={sign_in_codes.issue_code(user)}"


def find_oldest_user() -> User | None:
    from backend_main.core.models import User

    return User.objects.filter(is_active=True).order_by("date_joined", "pk").first()


def create_first_user() -> User | None:
    """Without a password; None where there are users, if none that is active."""
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
    except IntegrityError:  # another server of the same database has just started, too
        return find_oldest_user()
    return user


def _login_name() -> str:
    """Of the operating system; empty for a process whose number has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _find_user(name: str | None) -> User:
    from backend_main.core.auth import authentication
    from backend_main.core.models import User

    authentication.check_can_sign()
    user = User.objects.filter(username=name, is_active=True).first() if name else find_oldest_user()
    if user is None:
        who = f"no active user {name}" if name else "no active user"
        raise CommandError(f"There is {who}; `scanrill user add {name or 'NAME'}` makes one.")
    return user


def _link_address(running: str | None) -> str:
    if running is None:
        print("scanrill: no server runs on this data directory; start it to use the link.", file=sys.stderr)
        return DEFAULT_URL
    if not is_loopback(urlsplit(running).hostname or ""):
        raise CommandError(f"The server listens on {running}; say how users reach it, with --url.")
    return running


def _parse_url(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise typer.BadParameter("http:// or https:// and a host are expected, no path", param_hint="--url")
    return parts.geturl()
