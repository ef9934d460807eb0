"""Address of a client, as limits count it.

`backend.asgi` has put the address from `X-Forwarded-For` into the scope if the peer is a trusted proxy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

# One subscriber gets at least a /64 (RFC 6177), so single addresses below it cost nothing.
IPV6_PREFIX_BITS = 64


def client_address(scope: Mapping[str, Any]) -> str:
    """Return the address of the client of an ASGI scope, with IPv6 by /64; "" if it is unknown."""
    client = scope.get("client")
    return address_key(client[0]) if client else ""


@lru_cache(maxsize=4096)
def address_key(host: str) -> str:
    """Return the key by which limits count an address: IPv4 as it is, IPv6 as its /64 network."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])  # without the zone of a link-local address
    except ValueError:
        return host[:64]  # a name that a proxy sent
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX_BITS), strict=False))
