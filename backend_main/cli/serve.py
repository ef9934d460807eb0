"""`scanrill serve`: the server, the reader, and what must be true before they start."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Annotated, Any

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
    from backend_main.core.conf import Conf

GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS = 3
# Dead peers are found by TCP: WebSocket pings would cut a client that sends one big frame slowly.
KEEPALIVE_IDLE_SECONDS, KEEPALIVE_INTERVAL_SECONDS, KEEPALIVE_PROBES = 60, 15, 4


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    workers: Annotated[
        int, typer.Option(help="Processes that serve; more than one need SCANRILL_REDIS_URL.", min=1)
    ] = 1,
    with_reader: Annotated[
        bool, typer.Option("--with-reader", help="Read too, beside the workers, where there is a Redis.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Start the server, and its reader unless there are workers; they run until Ctrl-C or SIGTERM."""
    exit_on_signals()
    if with_reader:
        os.environ["SCANRILL_WITH_READER"] = "1"
    conf = set_up(data_dir)
    check_engine(conf)
    _check_storage()
    if workers > 1 and not conf.redis_url:
        raise CommandError(
            "Several processes hear each other's events over Redis: set SCANRILL_REDIS_URL, or no --workers."
        )
    if not is_loopback(host):
        _check_public_host(conf)
    with _lock_data_dir(conf) as lock_file, _listen(host, port) as listener:
        address = _url(listener)
        lock_file.write(address)
        lock_file.flush()
        lines = [f"scanrill serves at {address}/ — data in {conf.data_dir}, Ctrl-C ends it."]
        if is_loopback(host):
            lines += _sign_in_lines(address)
        _run(listener, conf, workers, lambda: print(*lines, sep="\n", flush=True))


def _url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _sign_in_lines(address: str) -> list[str]:
    """On one's own machine, whoever sees this terminal may sign in; the first start makes the user for it."""
    from backend_main.core.auth import authentication

    user = (find_oldest_user() or create_first_user()) if authentication.can_sign() else None
    if user is None:
        return []
    return [f"Sign in (once, within 10 minutes): {sign_in_link(user, address)}"]


def _run(listener: socket.socket, conf: Conf, workers: int, started: Callable[[], None]) -> None:
    if workers == 1:
        run(listener, conf, started)
        return
    from .supervisor import ProcessSupervisor

    ProcessSupervisor(listener, workers, started).run()


def run(listener: socket.socket, conf: Conf, started: Callable[[], None]) -> None:
    """Serves in this process until SIGTERM or SIGINT; calls `started` when it does."""
    import uvicorn

    from backend_main.backend.uvicorn_server import Server
    from backend_main.backend.websocket_protocol import FastPathWSProtocol

    config = uvicorn.Config(
        "backend_main.backend.asgi:application",
        ws=FastPathWSProtocol,
        # Inflating small frames into big ones is how a client would fill the memory.
        ws_per_message_deflate=False,
        ws_max_size=conf.max_frame_bytes,
        ws_ping_timeout=None,
        loop="uvloop",
        lifespan="on",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_TIMEOUT_SECONDS,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends at these and raises them again when it is done; that was their whole work: exit code 0.
        signal.signal(number, _ignore_signal)
    Server(config, started).run(sockets=[listener])


def _ignore_signal(_number: int, _frame: Any) -> None:
    pass


@contextmanager
def _lock_data_dir(conf: Conf) -> Iterator[IO[str]]:
    try:
        with server_lock(conf) as file:
            yield file
    except BlockingIOError:
        raise CommandError(
            f"The data directory {conf.data_dir} is in use by another scanrill serve."
        ) from None


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}, port {port} ({error.strerror}); choose another with --port or --host."
        ) from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        yield listener


def check_engine(conf: Conf) -> None:
    from backend_main.reading.engines import known_engines

    if conf.engine not in (known := sorted(known_engines())):
        raise CommandError(
            f"SCANRILL_ENGINE: there is no engine {conf.engine}; known are {', '.join(known)}."
        )


def _check_storage() -> None:
    from backend_main.core import storage

    storage.check()


def _check_public_host(conf: Conf) -> None:
    """What is fine on one's own machine is not when others can reach it."""
    from backend_main.core.models import User

    missing = []
    if not conf.secret_key:
        missing.append("SCANRILL_SECRET_KEY (a long random string)")
    if not conf.allowed_hosts:
        missing.append("SCANRILL_ALLOWED_HOSTS (the names that users will type)")
    if not any(user.has_usable_password() for user in User.objects.filter(is_active=True)):
        missing.append("a user with a password (`scanrill user add NAME`)")
    if missing:
        raise CommandError(f"To serve other machines, first set: {'; '.join(missing)}.")
