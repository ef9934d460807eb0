"""Queries for uploads and pages, always through the owner.

A user learns nothing about other users' uploads: another user's id gives the same error as an unknown id.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ...reading.documents.page_jpeg import Area, area_of
from ...reading.page_ranges import PageRanges
from ..conf import conf
from ..db.retry import retry_transient
from ..errors import FigureNotFound, PageNotFound, PageNotReady, UploadNotFound
from ..models import Page, Status, Upload, User
from ..protocol import messages, serializers
from .page_content import page_blocks


@retry_transient
def upload(*, owner: User, upload_id: UUID) -> Upload:
    """Return an upload of the user.

    Raises:
        UploadNotFound: The id is unknown, or belongs to another user.
    """
    found = Upload.objects.owned_by(owner).select_related("owner").filter(pk=upload_id).first()
    if found is None:
        raise UploadNotFound
    return found


@retry_transient
def require_uploads(*, owner: User, upload_ids: Sequence[UUID]) -> None:
    """Check that all uploads are the user's.

    Raises:
        UploadNotFound: An id is unknown, or belongs to another user.
    """
    if Upload.objects.owned_by(owner).filter(pk__in=upload_ids).count() != len(upload_ids):
        raise UploadNotFound


@retry_transient
def upload_by_hash(*, owner: User, image_hash: str) -> Upload | None:
    """Return the user's upload of the bytes with this SHA-256 in hex, or None."""
    found = Upload.objects.owned_by(owner).filter(image_hash=image_hash.lower())
    # Every `create` calls this, and most find nothing: `exists` spares the join.
    return found.select_related("owner").first() if found.exists() else None


@retry_transient
def page(*, owner: User, upload_id: UUID, number: int) -> Page:
    """Return a finished page.

    Raises:
        UploadNotFound: The user has no upload with this id.
        PageNotFound: The upload has no such page, or it was not to be read.
        PageNotReady: The page is not read yet.
    """
    found = Page.objects.filter(upload__owner=owner, upload_id=upload_id, number=number).first()
    if found is None:
        raise page_error(upload(owner=owner, upload_id=upload_id), number)
    return found


def page_error(upload: Upload, number: int) -> PageNotFound | PageNotReady:
    """Return the error for a page that an upload lacks in its current reading."""
    page_count = upload.page_count or conf.max_pages
    is_awaited = (
        upload.status in (Status.PENDING, Status.PROCESSING)
        and 1 <= number <= page_count
        and number in PageRanges(upload.read_options.get("pages"))
    )
    return PageNotReady() if is_awaited else PageNotFound()


def figure_area(*, owner: User, upload_id: UUID, number: int, figure: int) -> tuple[str, Area]:
    """Return the key of the file and the area of a figure on a finished page.

    Args:
        owner: The user.
        upload_id: Id of the upload.
        number: Number of the page, from 1.
        figure: Place of the figure among the figures of the page, from 1.

    Raises:
        RequestError: UploadNotFound, PageNotFound, PageNotReady or FigureNotFound.
    """
    found = page(owner=owner, upload_id=upload_id, number=number)
    figures = [block for block in page_blocks(found) if block.type == "figure"]
    box = figures[figure - 1].box if 1 <= figure <= len(figures) else None
    if box is None or not found.width or not found.height:
        raise FigureNotFound
    path = upload(owner=owner, upload_id=upload_id).image_path
    return path, area_of(box, found.width, found.height)


def upload_with_warnings(*, owner: User, upload_id: UUID) -> messages.Instance:
    """Return an upload of the user with its texts, and the warnings of its pages.

    Raises:
        UploadNotFound: The id is unknown, or belongs to another user.
    """
    return with_warnings(upload(owner=owner, upload_id=upload_id))


@retry_transient
def with_warnings(found: Upload) -> messages.Instance:
    """Return an upload with its texts, and the warnings of its pages."""
    pages = found.pages.exclude(warnings=[]).order_by("number").only("number", "warnings")
    warnings = [
        messages.UploadWarning(code=warning["code"], page=page.number, message=warning["message"])
        for page in pages
        for warning in page.page_warnings
    ]
    return serializers.instance(found, texts=True, page_warnings=warnings)
