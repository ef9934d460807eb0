"""Corrections of pages that are read again: kept until the page is finished, then merged into it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from ...reading.warning_codes import WarningCode
from ..models import KeptCorrection, Page, Upload
from . import usage
from .correction_merge import merge_correction


def keep(upload_id: UUID, numbers: Collection[int]) -> None:
    """Keep the corrections of pages that are about to be deleted."""
    corrected = Page.objects.filter(upload_id=upload_id, number__in=numbers, correction__isnull=False)
    KeptCorrection.objects.bulk_create(
        [
            KeptCorrection(
                upload_id=upload_id,
                number=page.number,
                correction=page.correction or "",
                read_text=page.text,
                corrected_by=page.corrected_by,
                corrected_at=page.corrected_at,
            )
            for page in corrected.defer("lines", "blocks", "words", "markdown")
        ],
        update_conflicts=True,
        unique_fields=["upload_id", "number"],
        update_fields=["correction", "read_text", "corrected_by", "corrected_at"],
    )


def restore(page: Page) -> int:
    """Merge the kept correction into a new page that is not saved yet; do nothing if there is none.

    The upload must be locked.

    Returns:
        The bytes by which the stored texts grow; negative if they shrink.
    """
    row = KeptCorrection.objects.filter(upload_id=page.upload_id, number=page.number)
    kept = row.first()
    if kept is None:
        return 0
    merged = merge_correction(old=kept.read_text, correction=kept.correction, new=page.text)
    page.correction = merged.text
    page.corrected_by, page.corrected_at = kept.corrected_by, kept.corrected_at
    if merged.conflicts:
        page.warnings = [*page.warnings, _conflict_warning(page.number, merged.conflicts)]
    row.delete()
    freed = usage.utf8_bytes(kept.correction) + usage.utf8_bytes(kept.read_text)
    return usage.utf8_bytes(merged.text) - freed


def remove(upload_id: UUID, numbers: Collection[int] | None = None) -> None:
    """Remove the kept corrections of these pages; None: of all pages."""
    rows = KeptCorrection.objects.filter(upload_id=upload_id)
    (rows if numbers is None else rows.filter(number__in=numbers)).delete()


def remove_orphans() -> int:
    """Remove the corrections of uploads that an older program has deleted; return their number."""
    return KeptCorrection.objects.exclude(upload_id__in=Upload.objects.values("pk")).delete()[0]


def _conflict_warning(number: int, conflicts: int) -> dict[str, Any]:
    places = "1 place" if conflicts == 1 else f"{conflicts} places"
    return {
        "code": WarningCode.CORRECTION_CONFLICT,
        "message": f"The new reading of page {number} differs from its correction in {places}. "
        "The correction was kept there; compare it with the page.",
        "boxes": [],
        "share": None,
    }
