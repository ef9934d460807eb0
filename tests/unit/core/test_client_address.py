"""Address by which limits count a client."""

from __future__ import annotations

import pytest

from backend_main.core.http.client_address import client_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_client_address_by_kind(host: str, address: str) -> None:
    assert client_address({"client": (host, 1)}) == address


@pytest.mark.parametrize("scope", [{}, {"client": None}])
def test_client_address_unknown_is_empty(scope: dict[str, None]) -> None:
    assert client_address(scope) == ""
