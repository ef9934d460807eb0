"""Readers of `scanrill watch`: in this process, or on a server over REST."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from backend_main import reading
from backend_main.core.errors import CommandError, PageImageError, RequestError
from backend_main.core.exports.formats import FORMATS
from backend_main.reading import Options
from backend_main.reading.engines import LazyEngine

from .output_file import write_output
from .read_document import read_document

# The server answers before: a response can be late, but not lost for ever.
REQUEST_TIMEOUT_SECONDS = 120
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
        self._base = server.rstrip("/")
        self._key = api_key
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
            with self._open("GET", f"/api/uploads/{upload['id']}/export?format={name}") as response:
                _write(iter(lambda: response.read(65536), b""), target)
            results.append(target)
        return results

    def _upload(self, path: Path) -> dict[str, Any]:
        query = urlencode({"filename": path.name, "priority": "batch"} | self._options)
        with path.open("rb") as file:
            created = self._json("POST", f"/api/uploads?{query}", file, path.stat().st_size)
        upload: dict[str, Any] = created["instance"]
        return upload

    def _json(self, method: str, path: str, body: Any = None, size: int = 0) -> dict[str, Any]:
        with self._open(method, path, body, size) as response:
            try:
                answer: dict[str, Any] = json.load(response)
            except ValueError:
                raise CommandError("The server sent no JSON. Check --server.") from None
        return answer.get("instance", answer) if method == "GET" else answer

    def _open(self, method: str, path: str, body: Any = None, size: int = 0) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self._key}", "Prefer": f"wait={WAIT_SECONDS}"}
        if body is not None:
            headers |= {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        url = self._base + path
        request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 - http(s)
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            response: http.client.HTTPResponse = opener.open(request, timeout=REQUEST_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error.code, error.read()) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Postponed(f"The server does not respond: {reason}") from None
        return response


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirect: the key goes to this server only."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _failure(status: int, body: bytes) -> Exception:
    try:
        problem = json.loads(body)
        detail, is_retryable = str(problem["detail"]), bool(problem.get("retryable"))
    except (ValueError, KeyError, TypeError):
        detail, is_retryable = f"The server responded with status {status}.", status >= 500
    if status in (401, 403):
        return CommandError(f"{detail} Check --api-key.")
    return Postponed(detail) if is_retryable or status == 429 else FileFailed(detail)


def _write(chunks: Iterable[bytes], target: Path) -> None:
    write_output(chunks, target, is_text=False)
