"""Download of a file from a URL that a user names, from the hosts of `SCANRILL_FETCH_HOSTS` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from urllib.parse import unquote

from .. import outgoing
from ..conf import conf
from ..db import executor
from ..errors import OutgoingUnavailable, RequestError
from ..fair_sharing import FairExecutor
from ..models import User
from ..uploads import ingest, quotas
from .receive import CHUNK_BYTES

FIELD = "url"
# As long as the answer of `POST /api/read` may take by default.
FETCH_TIMEOUT_SECONDS = 60.0
MAX_FETCHES = 4
MAX_FETCHES_PER_USER = 2
_fetches = FairExecutor(
    ThreadPoolExecutor(MAX_FETCHES, thread_name_prefix="fetch"), MAX_FETCHES, MAX_FETCHES_PER_USER
)


@asynccontextmanager
async def fetch_file(user: User, url: str, filename: str | None) -> AsyncIterator[ingest.StagedFile]:
    """Download a file, and yield it; afterwards remove it, unless it was stored.

    Args:
        filename: Name of the file; None: the last part of the URL.

    Raises:
        RequestError: on `url` if its host is not allowed or has no file there, or if the file is not valid.
        OutgoingUnavailable: the host does not answer, or too slowly.
    """
    checked = outgoing.check_url(url)
    host = (checked.hostname or "").lower()
    if host not in {allowed.lower() for allowed in conf.fetch_hosts}:
        message = "This server does not fetch files from this host. Send the file itself."
        raise RequestError({FIELD: message})
    quota = await executor.run_in_db_thread(quotas.byte_quota, user)
    with ExitStack() as stack:
        writer = stack.enter_context(ingest.open_staged_file(FIELD, quota=quota))
        name = filename or unquote(checked.path.rpartition("/")[2])
        yield await _fetches.run(user.pk, _download, url, writer, name)


def _download(url: str, writer: ingest.StagedFileWriter, name: str) -> ingest.StagedFile:
    with outgoing.request("GET", url, timeout_seconds=FETCH_TIMEOUT_SECONDS) as response:
        if response.status != 200:
            message = f"The host answers with status {response.status}. Name the address of the file itself."
            raise RequestError({FIELD: message})
        announced = response.headers.get("content-length", "")
        received_bytes = 0
        while chunk := response.read(CHUNK_BYTES):
            received_bytes += len(chunk)
            writer.write(chunk)
        if announced.isdecimal() and received_bytes != int(announced):
            raise OutgoingUnavailable("The file was cut short.")
    return writer.finish(name)
