"""HTTP requests of the server to addresses that users name: webhooks, and files to fetch.

A user could name a service that only the server can reach (server-side request forgery, SSRF). Therefore:

- The name is resolved once. Every address must be public, or in a network of `conf.outgoing_allow`.
- The connection goes to the address that was checked, so a second DNS answer changes nothing. TLS and the
  header `Host` still use the name.
- The port must be in `conf.outgoing_ports`. Plain HTTP goes to allowed networks only.
- A redirect is a response like any other, and is not followed. No proxy of the environment is used.
- One deadline ends the whole exchange, however slowly the other side sends.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from .conf import conf
from .errors import OutgoingRefused, OutgoingUnavailable

Address = IPv4Address | IPv6Address

MAX_URL_CHARACTERS = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}
# What `is_global` of the oldest supported Python calls public, although a network may route it inside:
# NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380) contain another address; site-local (RFC 3879).
NEVER_PUBLIC = [
    ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10")
]


class Target(NamedTuple):
    """Checked destination of a request."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: list[Address]


class Response:
    """Response whose body is not read yet."""

    def __init__(self, response: http.client.HTTPResponse, deadline: _Deadline) -> None:
        self._response = response
        self._deadline = deadline
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.getheaders()}

    def read(self, max_bytes: int) -> bytes:
        """Return the next bytes of the body, at most `max_bytes`; empty at its end."""
        with _translate_errors():
            read = self._response.read(max_bytes)
            self._deadline.check()
            return read


@contextmanager
def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float,
) -> Iterator[Response]:
    """Send a request and yield its response; blocks, so call it on a thread.

    Args:
        timeout_seconds: Longest time until the end of the block.

    Raises:
        OutgoingRefused: The server does not connect to this URL.
        OutgoingUnavailable: The other side cannot be reached, or answers too slowly.
    """
    deadline = _Deadline(timeout_seconds)
    connection: http.client.HTTPConnection | None = None
    response: http.client.HTTPResponse | None = None
    try:
        with _translate_errors():
            target = resolve(url)
            connection = _connect(target, deadline, timeout_seconds)
            connection.request(method, target.path, body, dict(headers or {}))
            response = connection.getresponse()
            deadline.check()
        yield Response(response, deadline)
    finally:
        deadline.cancel()
        if response is not None:
            response.close()  # it holds the socket where the other side closes the connection
        if connection is not None:
            connection.close()


def check_url(url: str) -> SplitResult:
    """Check the form of a URL: scheme, host and port. The addresses of the host are checked by `resolve`.

    Raises:
        OutgoingRefused: The server would not send requests to it.
    """
    if len(url) > MAX_URL_CHARACTERS or not url.isprintable() or " " in url or not url.isascii():
        raise OutgoingRefused(f"A URL of ASCII characters is expected, {MAX_URL_CHARACTERS} at most.")
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise OutgoingRefused("The URL is not valid.") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise OutgoingRefused("A URL such as https://example.org/path is expected.")
    if parts.username is not None or parts.password is not None:
        raise OutgoingRefused("The URL must not contain a user name or a password.")
    if port not in conf.outgoing_ports:
        raise OutgoingRefused(f"The server does not connect to port {port}. See SCANRILL_OUTGOING_PORTS.")
    if parts.scheme == "http" and not conf.outgoing_allow:
        raise OutgoingRefused("The URL must begin with https://.")
    return parts


def resolve(url: str) -> Target:
    """Return the destination of a URL, with all its addresses checked.

    Raises:
        OutgoingRefused: The URL or one of its addresses is not allowed.
        OutgoingUnavailable: The name has no address.
    """
    parts = check_url(url)
    assert parts.hostname is not None
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutgoingUnavailable("The name of the host cannot be resolved.") from None
    addresses = list(dict.fromkeys(ip_address(str(info[4][0]).partition("%")[0]) for info in found))
    allowed = [address for address in addresses if is_in_allowed_network(address)]
    if parts.scheme == "http" and len(allowed) != len(addresses):
        raise OutgoingRefused("The URL must begin with https://.")
    if not all(address in allowed or is_public(address) for address in addresses):
        raise OutgoingRefused(
            "The server does not connect to this host: its address is not public. "
            "The operator can allow it with SCANRILL_OUTGOING_ALLOW."
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path, addresses)


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet; an IPv4 address inside IPv6 counts itself."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(_contains(network, address) for network in NEVER_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_in_allowed_network(address: Address) -> bool:
    """Return whether the operator allows an address that may be private."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(_contains(ip_network(network), address) for network in conf.outgoing_allow)


def _contains(network: IPv4Network | IPv6Network, address: Address) -> bool:
    return network.version == address.version and address in network


class _Deadline:
    """Timer that ends an exchange: time-outs of a socket begin again with each byte that arrives."""

    def __init__(self, seconds: float) -> None:
        self._socket: socket.socket | None = None
        self._is_over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connected: socket.socket) -> None:
        """End this socket when the time is over."""
        with self._lock:
            self._socket = connected
        if self._is_over:
            self._end()

    def check(self) -> None:
        """Raise TimeoutError if the time is over; http.client would take the end for the end of the data."""
        if self._is_over:
            raise TimeoutError

    def cancel(self) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            if self._socket is not None:
                with suppress(OSError):  # it is closed already
                    # The method of SSLSocket would end TLS, from which another thread is reading.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _connect(target: Target, deadline: _Deadline, timeout_seconds: float) -> http.client.HTTPConnection:
    """Return a connection to the first address that answers."""
    connected = _open_socket(target, timeout_seconds)
    deadline.watch(connected)
    connection = http.client.HTTPConnection(target.host, target.port, timeout=timeout_seconds)
    if target.scheme == "https":
        connected = ssl.create_default_context().wrap_socket(connected, server_hostname=target.host)
        deadline.watch(connected)
        connection.default_port = DEFAULT_PORTS["https"]  # so that `Host` names no default port
    connection.sock = connected
    return connection


def _open_socket(target: Target, timeout_seconds: float) -> socket.socket:
    share = timeout_seconds / len(target.addresses)
    for address in target.addresses:
        try:
            connected = socket.create_connection((str(address), target.port), timeout=share)
        except OSError as error:
            failure = error
            continue
        connected.settimeout(timeout_seconds)
        return connected
    raise failure


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise OutgoingUnavailable(f"The certificate is not valid: {error.verify_message}.") from None
    except TimeoutError:
        raise OutgoingUnavailable("The host did not answer in time.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise OutgoingUnavailable(f"The connection failed: {reason}.") from None
