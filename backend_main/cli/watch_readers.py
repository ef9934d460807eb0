"""Readers of `scanrill watch`: in this process, or on a server over REST."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlencode, urlsplit

from backend_main import reading
from backend_main.core.errors import CommandError, PageImageError, RequestError
from backend_main.core.exports.formats import FORMATS
from backend_main.reading import Options
from backend_main.reading.engines import LazyEngine

from .output_file import write_output
from .read_document import read_document
from .server_requests import RestServer, ServerRefused, ServerUnreachable, body_chunks

WAIT_SECONDS = 30
ENDED = ("processed", "error", "cancelled")


class FileFailed(Exception):
    """A file that cannot be read; reading it again gives the same error."""


class Postponed(Exception):
    """A file that cannot be read now, as while the server restarts."""


class FileReader(Protocol):
    """Reader of one file after the other."""

    def read(self, path: Path, formats: Sequence[str], folder: Path) -> list[Path]:
        """Write the results of a file into a folder, and return them.

        Raises:
            FileFailed: The file cannot be read, or not be written in a format.
            Postponed: The file has to be read later.
            CommandError: No file can be read or written.
        """


def result_path(path: Path, format_name: str, folder: Path) -> Path:
    """Return the place of a result: the whole name of the file, and the extension of the format."""
    return folder / (path.name + FORMATS[format_name].extension)


class LocalReader:
    """Reader with an engine in this process."""

    def __init__(self, engine: LazyEngine, options: Options) -> None:
        self._engine = engine
        self._options = options

    def read(self, path: Path, formats: Sequence[str], folder: Path) -> list[Path]:
        try:
            events = reading.read(path, self._options, self._engine)
            pages = [event for event in events if isinstance(event, reading.PageDone)]
        except reading.ReadingError as error:
            raise FileFailed(str(error)) from None
        results = []
        for name in formats:
            target = result_path(path, name, folder)
            try:
                _write(FORMATS[name].write(read_document(path, pages, self._options)), target)
            except (RequestError, PageImageError) as error:
                raise FileFailed(f"{name}: {' '.join(error.fields.values())}") from None
            results.append(target)
        return results


class ServerReader:
    """Reader on a server, over REST.

    After a kill, the server recognizes the bytes that it has, and does not read them again.
    """

    def __init__(self, server: str, api_key: str, options: Options) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandError("--server: Give a URL, as in http://127.0.0.1:8000.")
        self._server = RestServer(server, api_key)
        chosen = {"engine": options.engine, "languages": ",".join(options.languages)}
        chosen["profile"] = options.profile
        self._options = {name: value for name, value in chosen.items() if value}

    def read(self, path: Path, formats: Sequence[str], folder: Path) -> list[Path]:
        upload = self._upload(path)
        while upload["status"] not in ENDED:
            upload = self._json("GET", f"/api/uploads/{upload['id']}")
        if upload["status"] != "processed":
            raise FileFailed(upload["error"] or "The upload was cancelled.")
        results = []
        for name in formats:
            target = result_path(path, name, folder)
            with self._request("GET", f"/api/uploads/{upload['id']}/export?format={name}") as response:
                _write(body_chunks(response), target)
            results.append(target)
        return results

    def _upload(self, path: Path) -> dict[str, Any]:
        query = urlencode({"filename": path.name, "priority": "batch"} | self._options)
        with path.open("rb") as file:
            created = self._json("POST", f"/api/uploads?{query}", file, path.stat().st_size)
        upload: dict[str, Any] = created["instance"]
        return upload

    def _json(self, method: str, path: str, file: IO[bytes] | None = None, size: int = 0) -> dict[str, Any]:
        with self._request(method, path, file, size) as response:
            try:
                answer: dict[str, Any] = json.load(response)
            except ValueError:
                raise CommandError("The server sent no JSON. Check --server.") from None
        return answer.get("instance", answer) if method == "GET" else answer

    @contextmanager
    def _request(
        self, method: str, path: str, file: IO[bytes] | None = None, size: int = 0
    ) -> Iterator[http.client.HTTPResponse]:
        headers = {"Prefer": f"wait={WAIT_SECONDS}"}
        try:
            with self._server.request(method, path, file=file, size=size, headers=headers) as response:
                yield response
        except ServerUnreachable as error:
            raise Postponed(str(error)) from None
        except ServerRefused as error:
            if error.status in (401, 403):
                raise CommandError(f"{error} Check --api-key.") from None
            raise (Postponed if error.is_retryable else FileFailed)(str(error)) from None


def _write(chunks: Iterable[bytes], target: Path) -> None:
    write_output(chunks, target, is_text=False)
