"""URL of the server, from which the URLs of its two APIs follow; pure."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

SOCKET_PATH = "/ws/core/upload/"
_HTTP_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class ServerURL:
    """Base URL of REST (`http`) and URL of the WebSocket (`socket`).

    Args:
        url: `http://host:8000`; also with `ws` or `wss`, and with the path prefix of a reverse proxy.

    Raises:
        ValueError: The URL has another scheme or no host, or it contains a query, a fragment or a user name.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _HTTP_SCHEMES or not parts.hostname:
            raise ValueError("Invalid server URL. Give it as in http://127.0.0.1:8000.")
        if parts.query or parts.fragment or parts.username is not None:
            # The message does not quote the URL: there may be a token in it.
            raise ValueError(
                "The server URL must not contain a user name, a query or a fragment. Pass a token as `token`."
            )
        prefix = parts.path.removesuffix(SOCKET_PATH).rstrip("/")
        scheme = _HTTP_SCHEMES[parts.scheme]
        self.http = urlunsplit((scheme, parts.netloc, prefix, "", ""))
        self.socket = urlunsplit((scheme.replace("http", "ws"), parts.netloc, prefix + SOCKET_PATH, "", ""))

    def __str__(self) -> str:
        return self.http
