"""Command `serve`: checks before the start, the listening socket, and the run of uvicorn."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .data_dir import (
    DataDir,
    is_loopback,
    server_lock,
    set_up,
)
from .link import create_first_user, find_oldest_user, sign_in_link
from .startup_signals import exit_on_signals

if TYPE_CHECKING:
    from backend_main.backend.lifespan import ProcessRole
    from backend_main.core.conf import Conf
    from backend_main.core.models import User

GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS = 3
# TCP finds dead peers. WebSocket pings would disconnect a client that sends one big frame slowly.
KEEPALIVE_IDLE_SECONDS, KEEPALIVE_INTERVAL_SECONDS, KEEPALIVE_PROBES = 60, 15, 4


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on, such as 0.0.0.0 for all interfaces.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free port.", min=0, max=65535)] = 8000,
    workers: Annotated[
        int, typer.Option(help="Server processes. More than 1 requires SCANRILL_REDIS_URL.", min=1)
    ] = 1,
    with_reader: Annotated[
        bool,
        typer.Option(
            "--with-reader",
            help="Also run readers in the server if SCANRILL_REDIS_URL is set. Without it, they always run.",
        ),
    ] = False,
    print_link: Annotated[
        bool,
        typer.Option(
            "--print-link",
            help="Print a sign-in link also if standard output is not a terminal, such as in the journal.",
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM.

    Readers run in the server as well, unless SCANRILL_REDIS_URL is set: then `scanrill worker` runs them.
    """
    exit_on_signals()
    if with_reader:
        os.environ["SCANRILL_WITH_READER"] = "1"
    conf = set_up(data_dir)
    from backend_main.core import storage

    check_engine(conf)
    storage.check()
    if workers > 1 and not conf.redis_url:
        raise CommandError("--workers requires SCANRILL_REDIS_URL.")
    if not is_loopback(host):
        _check_public_host(conf)
    with server_lock(conf) as lock_file, _listen(host, port) as listener:
        url = _url(listener)
        lock_file.write(url)
        lock_file.flush()
        lines = [f"scanrill is running at {url}/ (data: {conf.data_dir}). Press Ctrl-C to stop."]
        # Only loopback: there, a person who sees this terminal may sign in. A journal may have other readers.
        if is_loopback(host) and (user := _sign_in_user()):
            is_shown = print_link or sys.stdout.isatty()
            lines.append(
                f"Sign in (once, within 10 minutes): {sign_in_link(user, url)}"
                if is_shown
                else "To sign in, print a link with `scanrill link`."
            )

        def print_lines() -> None:
            print(*lines, sep="\n", flush=True)

        if workers == 1:
            run(listener, conf, print_lines)
        else:
            from .supervisor import ProcessSupervisor

            ProcessSupervisor(listener, workers, print_lines).run()


def _url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _sign_in_user() -> User | None:
    """Return the oldest user, who is created at the first start; None if tokens come from elsewhere."""
    from backend_main.core.auth import tokens

    return (find_oldest_user() or create_first_user()) if tokens.can_sign() else None


def run(
    listener: socket.socket,
    conf: Conf,
    on_listening: Callable[[], None],
    role: ProcessRole | None = None,
) -> None:
    """Serve in this process until SIGTERM or SIGINT.

    Args:
        listener: The listening socket.
        conf: The settings.
        on_listening: Called once, when the server listens.
        role: Tasks of the process beside serving. Default: all.
    """
    import uvicorn

    from backend_main.backend.asgi import create_application
    from backend_main.backend.connection_limits import ConnectionLimits, raise_descriptor_limit
    from backend_main.backend.http_protocol import LimitedHTTPProtocol, LimitedWSProtocol
    from backend_main.backend.lifespan import ProcessRole
    from backend_main.backend.uvicorn_server import Server

    limits = ConnectionLimits(
        descriptors=raise_descriptor_limit(), max_per_address=conf.max_connections_per_address
    )
    config = uvicorn.Config(
        create_application(role or ProcessRole(), limits),
        http=partial(LimitedHTTPProtocol, limits=limits),  # type: ignore[arg-type] # uvicorn calls it only
        ws=LimitedWSProtocol,
        # With compression, a client could fill the memory by small frames that inflate to large ones.
        ws_per_message_deflate=False,
        ws_max_size=conf.max_frame_bytes,
        ws_ping_timeout=None,
        loop="uvloop",
        lifespan="on",
        log_config=None,
        backlog=limits.reserve,
        server_header=False,
        proxy_headers=False,  # `backend.proxy_headers` handles them
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # After its shutdown, uvicorn raises the signal again. This handler ignores it, so the exit code is 0.
        signal.signal(number, lambda *_: None)
    Server(config, on_listening).run(sockets=[listener])


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]  # Python appends the address
        raise CommandError(
            f"Cannot listen on {host}, port {port} ({reason}). Choose another --host or --port."
        ) from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        yield listener


def check_engine(conf: Conf) -> None:
    """Raise `CommandError` if SCANRILL_ENGINE is not a known engine."""
    from backend_main.reading.engines import known_engines

    if conf.engine not in (known := sorted(known_engines())):
        raise CommandError(
            f'SCANRILL_ENGINE: unknown engine "{conf.engine}". Choose one of {", ".join(known)}.'
        )


def _check_public_host(conf: Conf) -> None:
    """Raise `CommandError` if the settings are not safe for a server that other machines reach."""
    from backend_main.core.models import User

    missing = []
    if not conf.secret_key:
        missing.append("SCANRILL_SECRET_KEY (32 random bytes or more)")
    if not conf.allowed_hosts:
        missing.append("SCANRILL_ALLOWED_HOSTS (the host names in the URLs of users)")
    if not any(user.has_usable_password() for user in User.objects.filter(is_active=True)):
        missing.append("a user with a password (`scanrill user add NAME`)")
    if missing:
        raise CommandError(f"A server for other machines needs: {'; '.join(missing)}.")
