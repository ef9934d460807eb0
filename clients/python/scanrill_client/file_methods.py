"""Methods of `AsyncClient` for files: page images, figures, originals and exports, over REST."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

from .request_options import ExportOptions
from .rest_requests import RestRequests, export_query


class FileMethods:
    """Base of `AsyncClient`."""

    _rest: RestRequests

    async def page_image(self, upload_id: str, number: int, *, width: int | None = None) -> bytes:
        """Return the image of a page, upright, as JPEG.

        Args:
            upload_id: The id of the upload.
            number: The page number, from 1.
            width: The approximate width in pixels.

        Raises:
            NotFound: The page does not exist.
        """
        return await self._rest.page_image(upload_id, number, width)

    async def figure(self, upload_id: str, number: int, index: int) -> bytes:
        """Return a figure of a page as JPEG; `index` is its place in the page, from 1. Raises `NotFound`."""
        return await self._rest.figure(upload_id, number, index)

    async def original(self, upload_id: str) -> bytes:
        """Return the original file. Raises `NotFound`."""
        return await self._rest.original(upload_id)

    async def download(self, upload_id: str, target: str | os.PathLike[str]) -> None:
        """Write the original file to a path, as a stream. Raises `NotFound`."""
        await self._rest.download(upload_id, Path(target))

    async def export(self, upload_id: str, **options: Unpack[ExportOptions]) -> bytes:
        """Return a finished upload in another format. Raises `NotFound`, and `RequestError` if it cannot."""
        return await self._rest.export(upload_id, export_query(**options))

    async def write_export(
        self, upload_id: str, target: str | os.PathLike[str], **options: Unpack[ExportOptions]
    ) -> None:
        """Write an export to a path, as a stream."""
        await self._rest.write_export(upload_id, export_query(**options), Path(target))

    async def write_exports(
        self, upload_ids: Sequence[str], target: str | os.PathLike[str], **options: Unpack[ExportOptions]
    ) -> None:
        """Write the exports of several uploads to a path, as one ZIP archive."""
        await self._rest.write_exports(upload_ids, export_query(**options), Path(target))
