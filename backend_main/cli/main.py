"""Entry point of the command line: all commands, and the exit code and message of an error.

A command imports Django and engines only when it runs, so that `--help` stays fast.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

import typer

from backend_main import __version__
from backend_main.core.errors import ScanrillError

from .backup import backup, reset_event_log, restore
from .data_dir import database_error_message, is_database_error
from .doctor import doctor
from .engines import engines
from .export import export
from .keys import add_key, list_keys, revoke_keys
from .link import link
from .mcp import mcp
from .messages import message_line
from .read import read
from .search import rebuild_index, search
from .serve import serve
from .settings import settings
from .sweep import sweep
from .users import (
    activate_user,
    add_user,
    deactivate_user,
    delete_user,
    list_users,
    set_user_password,
    sign_user_out,
    token,
)
from .watch import watch
from .webhooks import add_webhook, list_deliveries, list_webhooks, remove_webhook, send_test_event
from .worker import worker

# Errors of a write: a full disk or quota, a broken device, a closed pipe.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EPIPE)

app = typer.Typer(
    help="Self-hosted OCR server that streams the text of scans while it reads them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
user = typer.Typer(help="Manage the users of the server.", no_args_is_help=True)
USER_COMMANDS: dict[str, Callable[..., None]] = {
    "add": add_user,
    "list": list_users,
    "password": set_user_password,
    "deactivate": deactivate_user,
    "activate": activate_user,
    "sign-out": sign_user_out,
    "delete": delete_user,
}
for name, user_command in USER_COMMANDS.items():
    user.command(name)(user_command)
app.add_typer(user, name="user")
key = typer.Typer(help="Manage the API keys of users.", no_args_is_help=True)
KEY_COMMANDS: dict[str, Callable[..., None]] = {"add": add_key, "list": list_keys, "revoke": revoke_keys}
for name, key_command in KEY_COMMANDS.items():
    key.command(name)(key_command)
app.add_typer(key, name="key")
webhook = typer.Typer(help="Manage the webhooks of users.", no_args_is_help=True)
WEBHOOK_COMMANDS: dict[str, Callable[..., None]] = {
    "add": add_webhook,
    "list": list_webhooks,
    "remove": remove_webhook,
    "deliveries": list_deliveries,
    "test": send_test_event,
}
for name, webhook_command in WEBHOOK_COMMANDS.items():
    webhook.command(name)(webhook_command)
app.add_typer(webhook, name="webhook")
COMMANDS = (
    *(serve, worker, link, token, read, watch, export, engines, search, mcp),
    *(sweep, rebuild_index, backup, restore, reset_event_log, settings, doctor),
)
for command in COMMANDS:
    app.command()(command)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if show:
        print(__version__)
        raise typer.Exit


def main() -> None:
    try:
        _run()
    except ScanrillError as error:
        sys.exit(message_line(str(error)))  # exit code 1
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not is_database_error(error):
            raise
        sys.exit(message_line(database_error_message(error)))


def _run() -> None:
    """Run the command. Output that cannot be written is one message, not a traceback at exit.

    Without the last flush, Python writes the rest after `main`, where nothing can catch the error.
    """
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS or error.filename is not None:
            raise
        # The exit flushes again: what is left goes to the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # A reader that has gone, as in `scanrill read … | head`, needs no message.
        is_pipe = error.errno == errno.EPIPE
        sys.exit(1 if is_pipe else message_line(f"Cannot write the output: {error.strerror}."))
