"""Where the server is: one address in, the addresses of its two APIs out; pure."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

SOCKET_PATH = "/ws/core/upload/"
_WEB = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class ServerURL:
    """Of `http://host:8000`, also with `ws`, and with a path where a proxy puts the server under one."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _WEB or not parts.hostname:
            raise ValueError("The server's address is expected, as in http://127.0.0.1:8000")
        if parts.query or parts.fragment or parts.username is not None:
            # Not repeated here: there may be a token in it.
            raise ValueError("The server's address is expected without a token in it; give that as `token`.")
        prefix = parts.path.removesuffix(SOCKET_PATH).rstrip("/")
        web = _WEB[parts.scheme]
        self.http = urlunsplit((web, parts.netloc, prefix, "", ""))
        self.socket = urlunsplit((web.replace("http", "ws"), parts.netloc, prefix + SOCKET_PATH, "", ""))

    def __str__(self) -> str:
        return self.http
