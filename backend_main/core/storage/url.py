"""Parser of `SCANRILL_STORAGE_URL`. No message repeats the URL, since it may contain a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import CommandError

URL_SYNTAX = "Use file:///directory or s3://bucket/prefix?endpoint=…&region=…"
URL_OPTIONS = ("endpoint", "region", "addressing")


@dataclass(frozen=True, slots=True)
class S3Location:
    """Bucket and prefix of stored objects, and how to connect.

    Attributes:
        name: Name of the bucket.
        root: Prefix of all keys; empty, or ends with a slash.
        key: Access key; None: boto3 takes the credentials of the environment.
    """

    name: str
    root: str = ""
    endpoint: str | None = None
    region: str | None = None
    addressing: str = "auto"
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def parse_storage_url(url: str) -> S3Location | None:
    """Return the bucket of the URL; None for a directory.

    Raises:
        CommandError: The URL is invalid.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _url_error(URL_SYNTAX) from None
    if parts.scheme in ("", "file"):
        if url and not re.fullmatch(r"file://(localhost)?/+[^/?#][^?#]*", url):
            raise _url_error(URL_SYNTAX)
        return None
    if parts.scheme != "s3":
        raise _url_error(URL_SYNTAX)
    return _s3_location(parts)


def _s3_location(parts: SplitResult) -> S3Location:
    credentials, _, name = parts.netloc.rpartition("@")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise _url_error("Invalid bucket name. In a key or secret, write / as %2F")
    key, _, secret = credentials.partition(":")
    if bool(key) != bool(secret):
        raise _url_error("A key needs its secret. Use s3://key:secret@bucket")

    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - set(URL_OPTIONS)):
        raise _url_error(f"Unknown option {unknown[0]}. Available: {', '.join(URL_OPTIONS)}")
    if "endpoint" in options and not re.fullmatch(r"https?://[^/?#@\s]+/?", options["endpoint"]):
        raise _url_error("Invalid endpoint. Use http://host:port")
    if options.get("addressing", "auto") not in ("auto", "path", "virtual"):
        raise _url_error("Invalid addressing. Use path or virtual")

    prefix = unquote(parts.path).strip("/")
    return S3Location(
        name,
        f"{prefix}/" if prefix else "",
        key=unquote(key) or None,
        secret=unquote(secret) or None,
        **options,
    )


def _url_error(message: str) -> CommandError:
    return CommandError(f"SCANRILL_STORAGE_URL: {message}.")
