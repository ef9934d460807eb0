"""Errors of HTTP itself, which no request over a WebSocket can meet."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import RequestError

INTERNAL_ERROR_MESSAGE = "Internal server error. See the server log."


class HTTPError(RequestError):
    """A request that HTTP does not allow here. Nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__({"detail": message})


class MalformedRequest(HTTPError):
    """The server cannot parse the request."""

    code = "malformed_request"


class PathNotFound(HTTPError):
    """No route has this path."""

    code = "path_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("Nothing is here. Check the path.")


class MethodNotAllowed(HTTPError):
    """The route has other methods, which the header `Allow` names."""

    code = "method_not_allowed"
    http_status = 405

    def __init__(self, method: str | None, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(allowed)
        super().__init__(f"The method {method} is not allowed here. Use {self.allowed}.")

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self.allowed}


class NotAcceptable(HTTPError):
    """The server has no media type that `Accept` allows."""

    code = "not_acceptable"
    http_status = 406


class PreconditionFailed(HTTPError):
    """The upload or page is not in a state that `If-Match` names. Nothing was changed."""

    code = "precondition_failed"
    http_status = 412

    def __init__(self) -> None:
        super().__init__("It has changed since you fetched it. Fetch it again, then repeat the change.")


class UnsupportedMediaType(HTTPError):
    """The body has a `Content-Type` that the route does not read."""

    code = "unsupported_media_type"
    http_status = 415


class FieldsTooLarge(HTTPError):
    """The fields of a form, beside its file, exceed the limit."""

    code = "fields_too_large"
    http_status = 413

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The fields of the form exceed {max_bytes} bytes together. Send less in them.")


class OffsetMismatch(HTTPError):
    """The body of a resumable upload does not begin where the file ends."""

    code = "offset_mismatch"
    http_status = 409
    is_retryable = True

    def __init__(self, offset: int) -> None:
        super().__init__(f"The file has {offset} bytes. Ask for its offset with HEAD, and continue there.")


class TusVersionNotSupported(HTTPError):
    """The header `Tus-Resumable` is missing, or names another version."""

    code = "tus_version_not_supported"
    http_status = 412

    def __init__(self, version: str) -> None:
        super().__init__(f"The header Tus-Resumable: {version} is expected.")
        self._version = version

    @property
    def headers(self) -> dict[str, str]:
        return {"Tus-Version": self._version}


class ChecksumMismatch(HTTPError):
    """The body of a resumable upload does not have its checksum. It was discarded."""

    code = "checksum_mismatch"
    http_status = 460
    is_retryable = True

    def __init__(self) -> None:
        super().__init__("The body does not have the checksum of Upload-Checksum. Send it again.")


class RangeNotSatisfiable(HTTPError):
    """The file has none of the bytes that `Range` requests."""

    code = "range_not_satisfiable"
    http_status = 416

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes, and none of those that Range requests.")
        self._size = size

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Range": f"bytes */{self._size}"}


class UpgradeRequired(HTTPError):
    """The path is a WebSocket (RFC 9110, 15.5.22)."""

    code = "upgrade_required"
    http_status = 426

    def __init__(self) -> None:
        super().__init__("This path is a WebSocket. Connect to it with ws:// or wss://, and a client for it.")

    @property
    def headers(self) -> dict[str, str]:
        return {"Upgrade": "websocket", "Connection": "Upgrade"}


class ReadingFailed(HTTPError):
    """The upload was created, and its reading ended with an error. `Location` names the upload."""

    code = "reading_failed"
    http_status = 422

    def __init__(self, message: str, code: str | None, headers: dict[str, str]) -> None:
        super().__init__(message)
        self.code = code or self.code  # type: ignore[misc] # the reading names its own error
        self._headers = headers

    @property
    def headers(self) -> dict[str, str]:
        return self._headers


class TargetNotSupported(HTTPError):
    """The result cannot go where the request wants it. Ask for it in the response."""

    code = "target_not_supported"
    http_status = 422


class ReadingNotFinished(HTTPError):
    """The file was not read in the time of one request. It is read nevertheless."""

    code = "reading_not_finished"
    http_status = 504
    is_retryable = True

    def __init__(self) -> None:
        super().__init__("Reading takes too long for one request. Send it again later: it goes on.")


class HeadTooLarge(HTTPError):
    """The head of the request exceeds the limit."""

    code = "head_too_large"
    http_status = 431


class HeadTimeout(HTTPError):
    """The head of the request did not arrive in time."""

    code = "head_timeout"
    http_status = 408
    is_retryable = True
