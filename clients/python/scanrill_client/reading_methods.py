"""Methods of `AsyncClient` for the readings of an upload and the corrections of its pages, over REST."""

from __future__ import annotations

from .messages import Instance, Page
from .readings import Reading, ReadingComparison, Readings
from .rest_requests import RestRequests


class ReadingMethods:
    """Base of `AsyncClient`."""

    _rest: RestRequests

    async def readings(self, upload_id: str) -> Readings:
        """Return the readings of an upload, the newest first. Raises `NotFound`."""
        return await self._rest.get(upload_id, "readings", Readings)

    async def reading(self, upload_id: str, number: int) -> Reading:
        """Return a reading with its texts. Raises `NotFound`."""
        return await self._rest.get(upload_id, f"readings/{number}", Reading)

    async def reading_page(self, upload_id: str, reading: int, number: int, *, words: bool = False) -> Page:
        """Return a finished page of a reading; both numbers count from 1. Raises `NotFound`."""
        query = {"words": "true"} if words else {}
        return await self._rest.get(upload_id, f"readings/{reading}/pages/{number}", Page, query)

    async def make_reading_current(self, upload_id: str, number: int) -> Instance:
        """Make a reading the current one, and return the upload.

        Raises:
            NotFound: The upload has no such reading.
            RequestError: The upload waits or is being read.
        """
        return await self._rest.send("POST", upload_id, f"readings/{number}/current", Instance)

    async def delete_reading(self, upload_id: str, number: int) -> None:
        """Delete an earlier reading.

        Raises:
            NotFound: The upload has no such reading.
            RequestError: It is the current one.
        """
        await self._rest.delete_reading(upload_id, number)

    async def compare_readings(
        self, upload_id: str, first: int, second: int, *, page: int | None = None
    ) -> ReadingComparison:
        """Compare two readings by words; with `page`, return the words that differ on it.

        Raises:
            NotFound: The upload lacks one of the readings, or they lack the page.
        """
        query = {} if page is None else {"page": page}
        return await self._rest.get(upload_id, f"readings/{first}/compare/{second}", ReadingComparison, query)

    async def correct_page(self, upload_id: str, number: int, correction: str | None) -> Page:
        """Set a person's text of a finished page, and return the page; None removes the correction.

        Raises:
            NotFound: The page does not exist, or is not finished.
            RequestError: The text is too long, or the user has no space for it.
        """
        fields = {"correction": correction}
        return await self._rest.send("PATCH", upload_id, f"pages/{number}", Page, json=fields)
