"""Step 6 — `SCANRILL_STORAGE_URL` → where files are kept. No sentence repeats it, as it may hold a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import CommandError

EXPECTED = "file:///directory or s3://bucket/prefix?endpoint=…&region=… is expected"
OPTIONS = ("endpoint", "region", "addressing")


@dataclass(frozen=True, slots=True)
class S3Location:
    """`root` is empty or ends with a slash; without a key, the credentials are those of the environment."""

    name: str
    root: str = ""
    endpoint: str | None = None
    region: str | None = None
    addressing: str = "auto"
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def parse_storage_url(url: str) -> S3Location | None:
    """None where the files are in a directory. Raises `CommandError`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _url_error(EXPECTED) from None
    if parts.scheme in ("", "file"):
        _check_directory(url)
        return None
    if parts.scheme != "s3":
        raise _url_error(EXPECTED)
    return _bucket(parts)


def _check_directory(url: str) -> None:
    if url and not re.fullmatch(r"file://(localhost)?/+[^/?#][^?#]*", url):
        raise _url_error(EXPECTED)


def _bucket(parts: SplitResult) -> S3Location:
    credentials, _, name = parts.netloc.rpartition("@")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise _url_error("the name of the bucket is none; in a key or secret, / is written %2F")
    key, _, secret = credentials.partition(":")
    if bool(key) != bool(secret):
        raise _url_error("a key comes with its secret, as s3://key:secret@bucket")
    prefix = unquote(parts.path).strip("/")
    return S3Location(
        name,
        f"{prefix}/" if prefix else "",
        key=unquote(key) or None,
        secret=unquote(secret) or None,
        **_options(parts.query),
    )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise _url_error(f"there is no {unknown[0]}; after the question mark, {', '.join(OPTIONS)} may stand")
    if "endpoint" in options and not re.fullmatch(r"https?://[^/?#@\s]+/?", options["endpoint"]):
        raise _url_error("the endpoint is expected as http://host:port")
    if options.get("addressing", "auto") not in ("auto", "path", "virtual"):
        raise _url_error("addressing is path or virtual")
    return options


def _url_error(sentence: str) -> CommandError:
    return CommandError(f"SCANRILL_STORAGE_URL: {sentence}.")
