"""Extension of the ASGI scope: what scanrill's server offers beside ASGI's `send` and `receive`.

Another ASGI server does not have it. Consumers then send with ASGI's `send`, and count messages themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

from .rate_limit import TokenBucket

SERVER_CONNECTION = "scanrill.server_connection"
# Key of the process's `MessageMemory` in the state that the ASGI lifespan sets.
MESSAGE_MEMORY = "scanrill.message_memory"
# Key in the `state` of an HTTP request: called when the server shuts down before the response has ended.
ON_SHUTDOWN = "scanrill.on_shutdown"
# Key in that `state`: closes the connection at once.
ABORT = "scanrill.abort"


class ServerConnection(Protocol):
    """The server's side of one WebSocket.

    Attributes:
        frame_rate: The rate of the client's frames. The server takes a token for each frame that is not a
            whole message; the application takes one for each message.
    """

    frame_rate: TokenBucket

    def try_send(self, text: str) -> bool:
        """Send a text without waiting, if the client keeps up. Return whether it was sent."""
        ...

    def set_owner(self, owner: Hashable) -> None:
        """Set the user whose messages these are."""
        ...


def set_shutdown_callback(scope: Mapping[str, Any], callback: Callable[[], object]) -> None:
    """Call a function when the server shuts down. It waits for the response, so this must end it soon."""
    scope["state"][ON_SHUTDOWN] = callback


def abort_connection(scope: Mapping[str, Any]) -> None:
    """Close the connection of an HTTP request whose client does not read."""
    abort = scope["state"].get(ABORT)
    if abort is not None:
        abort()
