"""Types of settings that are not built into Python, and their form in a variable."""

from __future__ import annotations

import datetime as dt
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

Wire = Literal["tika", "open-webui", "docling", "openai", "mistral", "azure", "mcp"]
"""Interface of another product: see `http.wires`."""

_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as 90s, 15m, 24h, 7d, or of a plain number of seconds.

    Raises:
        ValueError: the text is not a duration above 0.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text.strip())
    if match is None or not (seconds := float(match[1]) * _UNIT_SECONDS[match[2]]):
        raise ValueError("a number and s, m, h or d are expected, as in 15m")
    return seconds


class Duration(float):
    """Duration in seconds, written as a number, or as 90s, 15m, 24h, 7d."""

    @property
    def timedelta(self) -> dt.timedelta:
        return dt.timedelta(seconds=self)


class Network(str):
    """IPv4 or IPv6 address or network, such as 10.0.0.0/8."""


def decode_custom_type(kind: type, value: object) -> object:
    """Convert a value of a variable, or raise ValueError: a hook of msgspec."""
    if kind is Path:
        return Path(str(value)).expanduser().absolute()
    if kind is Duration:
        return Duration(parse_duration(str(value)))
    if kind is Network:
        return Network(ip_network(str(value)))  # ValueError: not a network, or bits beyond its prefix
    raise TypeError(f"Settings cannot have the type {kind!r}.")


def without_credentials(text: str) -> str:
    """Return a URL without user, password and the values of its query; any other text as it is."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        return text
    location, question, query = rest.partition("?")
    authority, slash, path = location.partition("/")
    _, at, host = authority.rpartition("@")
    shown_query = "&".join(field.partition("=")[0] + "=***" for field in query.split("&")) if query else ""
    return f"{scheme}://{'***@' if at else ''}{host}{slash}{path}{question}{shown_query}"
