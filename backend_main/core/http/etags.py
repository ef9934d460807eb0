"""Entity tags and conditional requests (RFC 9110, 8.8.3 and 13.1)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from ... import __version__
from ..models import PageContent, Upload
from .http_errors import PreconditionFailed

TAG_BYTES = 12


def tag_of(*parts: object) -> str:
    """Return the strong tag of what has these parts, as this version of the server shows it."""
    return _tag("\0".join(map(str, (__version__, *parts))).encode())


def upload_tag(upload: Upload) -> str:
    """Return the tag of an upload with its texts, by the columns that change with any other."""
    return tag_of(
        upload.pk,
        upload.updated_at.timestamp(),
        upload.status,
        upload.attempt,
        upload.pages_done,
        upload.reading_number,
        upload.owner.get_username(),
    )


def page_tag(page: PageContent, *, with_words: bool = False) -> str:
    """Return the tag of a finished page: a page that is read again is another row."""
    return tag_of(type(page).__name__, page.pk, page.created_at.timestamp(), page.corrected_at, with_words)


def require_match(headers: Mapping[str, str], *tags: str) -> None:
    """Raise `PreconditionFailed` unless `If-Match` is absent, `*`, or has one of the tags."""
    if (header := headers.get("If-Match")) is None:
        return
    wanted = parse_etags(header)
    if wanted != ["*"] and not set(wanted) & set(tags):
        raise PreconditionFailed


def is_unchanged(headers: Mapping[str, str], tag: str) -> bool:
    """Return whether `If-None-Match` has the tag; tags are compared weakly, and `*` matches any."""
    known = [each.removeprefix("W/") for each in parse_etags(headers.get("If-None-Match", ""))]
    return tag in known or known == ["*"]


def not_modified(tag: str) -> HttpResponse:
    """Return a response to a request for what has not changed."""
    return HttpResponse(status=304, headers={"ETag": tag})


def conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the response to a `GET` with a tag, or 304 if the client has what it contains.

    A response without a tag gets that of its content.
    """
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    if "ETag" not in response.headers:
        response["ETag"] = _tag(response.content)
    tag = response["ETag"]
    return not_modified(tag) if is_unchanged(request.headers, tag) else response


def _tag(content: bytes) -> str:
    return f'"{blake2b(content, digest_size=TAG_BYTES).hexdigest()}"'
