"""Tree of all errors that a user of scanrill can meet; it does not import Django.

ScanrillError                   code, HTTP status, close code, and whether a retry can help
├── RequestError                400         a field is not valid; `fields` says which and why
│   ├── ProtocolError           400         the frame is not a valid request
│   ├── UploadNotFound          404  4404   the upload does not exist or belongs to another user
│   ├── PageNotFound            404         the upload has no such page, or it is not to be read
│   ├── NotReady                202         it is still being read: repeat the request
│   │   ├── PageNotReady        202         the page is not read yet: repeat the request
│   │   └── UploadNotReady      202         the upload is not read yet: repeat the request
│   ├── FigureNotFound          404         the page has no such figure, or its place is not known
│   ├── ReadingNotFound         404         the upload has no reading with this number
│   ├── SessionNotFound         404         the user has no such session, or it has ended
│   ├── KeyNotFound             404         the user has no such API key, or it was revoked
│   ├── ScopeMissing            403         the API key may not do this: use another, or sign in
│   ├── KeyLimitExceeded        409         the user has the maximum number of API keys
│   ├── WebhookNotFound         404         the user has no such webhook or delivery
│   ├── DuplicateUpload         409         the user has the file, and a duplicate shall be an error
│   ├── KeyReused               422         the idempotency key belongs to another request
│   ├── KeyInUse                409         the first request with the idempotency key still runs: try again
│   ├── ResumableUploadNotFound 404         the user has no such resumable upload, or its time is over
│   ├── ResumableUploadLocked   423         another request or server has the file: try again
│   ├── StatusConflict          409         the request does not fit the status of the upload
│   ├── RequestTimeout          408         the body arrives too slowly: send it again
│   ├── LengthRequired          411         a large body needs a Content-Length
│   ├── BodyTooLarge            413         the body has more bytes than its path allows
│   ├── FileTooLarge            413         the file has more bytes than the limit
│   ├── StorageFull             507         no space for the file: free some, then send it again
│   ├── DatabaseUnavailable     503         the database does not answer: try again
│   │   └── DatabaseFull        507         the disk of the database is full: delete uploads
│   ├── ShuttingDown            503         the server is shutting down: try again
│   ├── StorageUnavailable      503         the file storage does not answer: try again
│   ├── TokenKeysUnavailable    503         the keys of the service that signs tokens cannot be fetched
│   ├── SignInLimited           429         too many attempts to sign in: wait, then try again
│   ├── QuotaExceeded           507         the user has reached the quota of files or bytes
│   ├── PendingLimitExceeded    429         the user has too many uploads waiting: try again later
│   ├── OutgoingRefused         400         the server does not connect to this URL
│   └── OutgoingUnavailable     502         the host of a URL cannot be reached, or answers too slowly
├── ServerBusy                  503         no place for another connection: try again later
├── PageImageError              422         the image of a page cannot be rendered
├── CommandError                            a command stops with one line; nothing was changed
└── ConnectionRejected                      the socket is accepted, then closed with the code
    ├── Unauthenticated         401  4401   the token is missing, invalid or expired: refresh it, reconnect
    ├── OriginNotAllowed        403  4403   the web page comes from another site; final
    ├── UnknownEndpoint         404  4404   the WebSocket path does not exist; final
    ├── RateLimited             429  4429   too many connections or messages: wait, then reconnect
    └── SlowConsumer                 4499   the client reads too slowly: reconnect and resume
"""

from __future__ import annotations

from typing import ClassVar

DEFAULT_RETRY_AFTER_SECONDS = 5
"""A restart and a short outage take about as long."""


class ScanrillError(Exception):
    """Base class. `str(error)` is a message that any user may see.

    code: name of the kind for programs; it never changes.
    is_final: whether reconnecting after the close code gets it again.
    is_retryable: whether the same request can succeed later.
    retry_after_seconds: when to repeat the request, with statuses that say so.
    """

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011
    is_final: ClassVar[bool] = True
    is_retryable: ClassVar[bool] = False
    retry_after_seconds: int = DEFAULT_RETRY_AFTER_SECONDS

    @property
    def fields(self) -> dict[str, str]:
        """Return the message for each field; the key is `detail` if no field is at fault."""
        return {"detail": str(self)}

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that the status requires of an HTTP response."""
        if self.http_status == 401:
            return {"WWW-Authenticate": "Bearer"}
        return {"Retry-After": str(self.retry_after_seconds)} if self.http_status in (202, 429, 503) else {}


class RequestError(ScanrillError):
    """A request that the server refuses. Nothing was changed."""

    code = "invalid_request"
    http_status = 400

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self._fields = fields

    @property
    def fields(self) -> dict[str, str]:
        return self._fields


class ProtocolError(RequestError):
    """A frame that is not a valid request. `parse_request` raises nothing else.

    `reply_type` is the type of the reply that the client expects, `ref` its own id of the request.
    """

    def __init__(self, fields: dict[str, str], *, reply_type: str = "error", ref: str | None = None) -> None:
        super().__init__(fields)
        self.reply_type = reply_type
        self.ref = ref


class UploadNotFound(RequestError):
    code = "upload_not_found"
    http_status = 404
    close_code = 4404

    def __init__(self) -> None:
        super().__init__({"instance_id": "You have no upload with this id."})


class PageNotFound(RequestError):
    code = "page_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"number": "The upload has no such page, or it was not to be read."})


class NotReady(RequestError):
    """Something that is still being read. The same request succeeds later."""

    code = "not_ready"
    http_status = 202
    is_retryable = True


class PageNotReady(NotReady):
    code = "page_not_ready"

    def __init__(self) -> None:
        super().__init__({"number": "This page is not read yet. Repeat the request later."})


class UploadNotReady(NotReady):
    code = "upload_not_ready"

    def __init__(self, message: str) -> None:
        super().__init__({"instance_id": message})


class FigureNotFound(RequestError):
    code = "figure_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"figure": "The page has no such figure, or its place is not known."})


class ReadingNotFound(RequestError):
    code = "reading_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"reading": "This upload has no reading with this number."})


class SessionNotFound(RequestError):
    code = "session_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"session": "You have no session with this id."})


class KeyNotFound(RequestError):
    code = "key_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"key": "You have no API key with this id."})


class ScopeMissing(RequestError):
    """The credential is valid, but may not do this. Nothing was changed."""

    code = "scope_missing"
    http_status = 403

    def __init__(self, message: str) -> None:
        super().__init__({"detail": message})


class KeyLimitExceeded(RequestError):
    """The user has the maximum number of API keys. Nothing was changed."""

    code = "too_many_keys"
    http_status = 409

    def __init__(self, limit: int) -> None:
        super().__init__({"detail": f"You have {limit} API keys, the maximum. Revoke one first."})


class WebhookNotFound(RequestError):
    code = "webhook_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"webhook": "You have no such webhook or delivery."})


class DuplicateUpload(RequestError):
    """The user has this file already, and the request says that this is an error."""

    code = "duplicate_upload"
    http_status = 409

    def __init__(self, upload_id: object) -> None:
        super().__init__({"on_duplicate": f"You have this file already, as the upload {upload_id}."})


class KeyReused(RequestError):
    """The idempotency key belongs to another request. Nothing was changed."""

    code = "idempotency_key_reused"
    http_status = 422

    def __init__(self) -> None:
        message = "This key belongs to another request. Use a new key for each request."
        super().__init__({"Idempotency-Key": message})


class KeyInUse(RequestError):
    """The first request with the idempotency key is still being carried out."""

    code = "idempotency_key_in_use"
    http_status = 409
    is_final = False
    is_retryable = True
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": "The first request with this key still runs. Try again."})

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class ResumableUploadNotFound(RequestError):
    code = "resumable_upload_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"detail": "You have no such resumable upload, or its time is over. Begin again."})


class ResumableUploadLocked(RequestError):
    """Another request writes the file, another server has it, or its upload cannot be created yet."""

    code = "resumable_upload_locked"
    http_status = 423
    is_retryable = True

    def __init__(self) -> None:
        super().__init__({"detail": "The file is in use, or on another server. Try again."})


class StatusConflict(RequestError):
    """The request does not fit the status of the upload; the message names that status."""

    code = "status_conflict"
    http_status = 409

    def __init__(self, message: str) -> None:
        super().__init__({"instance_id": message})


class RequestTimeout(RequestError):
    """The body of the request arrives too slowly. Nothing was changed."""

    code = "request_timeout"
    http_status = 408
    is_retryable = True

    def __init__(self) -> None:
        super().__init__({"detail": "The body of the request arrived too slowly. Send it again."})


class LengthRequired(RequestError):
    """A body of this size needs a `Content-Length`."""

    code = "length_required"
    http_status = 411

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            {"detail": f"A body of more than {max_bytes} bytes needs a Content-Length. Send it with one."}
        )


class BodyTooLarge(RequestError):
    """The body of the request exceeds the limit of its path."""

    code = "body_too_large"
    http_status = 413

    def __init__(self, max_bytes: int) -> None:
        super().__init__({"detail": f"The body exceeds the limit of {max_bytes} bytes of this path."})


class FileTooLarge(RequestError):
    """The file exceeds the limit. `field` is the field that brought the bytes."""

    code = "file_too_large"
    http_status = 413

    def __init__(self, field: str, max_bytes: int) -> None:
        super().__init__({field: f"The file exceeds the limit of {max_bytes} bytes."})


class StorageFull(RequestError):
    """The storage has no space. Nothing was stored; `field` is the field that brought the bytes."""

    code = "storage_full"
    http_status = 507
    is_retryable = True

    def __init__(self, field: str) -> None:
        super().__init__({field: "storage_full: the server has no space for it. Nothing was stored."})


class DatabaseUnavailable(RequestError):
    """The database does not answer. The last attempt may have succeeded although its reply was lost."""

    code = "database_unavailable"
    http_status = 503
    is_retryable = True

    def __init__(self) -> None:
        super().__init__({"server": "The database is unavailable. Try again."})


class DatabaseFull(DatabaseUnavailable):
    """The database cannot grow. Nothing was changed."""

    code = "database_full"
    http_status = 507

    def __init__(self) -> None:
        message = "storage_full: the disk of the server is full. Nothing was changed. Delete uploads."
        RequestError.__init__(self, {"server": message})


class ShuttingDown(RequestError):
    """The server is shutting down. The request may have been carried out."""

    code = "shutting_down"
    http_status = 503
    is_retryable = True

    def __init__(self) -> None:
        super().__init__({"server": "The server is shutting down. Try again."})


class StorageUnavailable(RequestError):
    """The file storage does not answer. Nothing was stored or lost; `field` brought the bytes, if any did."""

    code = "storage_unavailable"
    http_status = 503
    is_retryable = True

    def __init__(self, field: str = "detail") -> None:
        super().__init__({field: "storage_unavailable: the file storage does not answer. Try again."})


class TokenKeysUnavailable(RequestError):
    """The service that signs tokens has not answered with its keys, so no token can be verified."""

    code = "token_keys_unavailable"
    http_status = 503
    is_retryable = True

    def __init__(self) -> None:
        super().__init__({"server": "The keys of the tokens cannot be fetched. Try again."})


class SignInLimited(RequestError):
    """There were too many attempts to sign in. The password was not checked."""

    code = "sign_in_limited"
    http_status = 429
    is_retryable = True

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            {"detail": f"Too many tries to sign in. Try again in {retry_after_seconds} seconds."}
        )
        self.retry_after_seconds = retry_after_seconds


class QuotaExceeded(RequestError):
    """The user has reached a quota. Nothing was stored; `field` is the field that brought the bytes."""

    code = "quota_exceeded"
    http_status = 507

    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: message})


class PendingLimitExceeded(RequestError):
    """The user has the maximum number of uploads waiting. Nothing was changed."""

    code = "pending_limit_exceeded"
    http_status = 429
    is_retryable = True

    def __init__(self, field: str, waiting: int) -> None:
        super().__init__({field: f"You have {waiting} uploads waiting, the maximum. Try again later."})


class OutgoingRefused(RequestError):
    """The server does not connect to a URL that the user named; the message says why."""

    code = "url_refused"

    def __init__(self, message: str) -> None:
        super().__init__({"url": message})


class OutgoingUnavailable(RequestError):
    """The host of a URL that the user named cannot be reached, or answers too slowly."""

    code = "url_unavailable"
    http_status = 502
    is_retryable = True

    def __init__(self, message: str) -> None:
        super().__init__({"url": message})


class ServerBusy(ScanrillError):
    """The server process has no place for another connection."""

    code = "server_busy"
    http_status = 503
    is_retryable = True

    def __init__(self) -> None:
        super().__init__("The server has too many connections. Try again later.")


class PageImageError(ScanrillError):
    """The image of a page cannot be rendered; the message says why."""

    code = "page_image_failed"
    http_status = 422


class CommandError(ScanrillError):
    """The command cannot run; the message says what to do. Nothing was changed."""

    code = "command_failed"


class ConnectionRejected(ScanrillError):
    """The server accepts the WebSocket, then closes it with `close_code`.

    A close before the accept would not reach the client.
    """


class Unauthenticated(ConnectionRejected):
    code = "unauthenticated"
    http_status = 401
    close_code = 4401
    is_final = False


class OriginNotAllowed(ConnectionRejected):
    code = "origin_not_allowed"
    http_status = 403
    close_code = 4403


class UnknownEndpoint(ConnectionRejected):
    code = "unknown_endpoint"
    http_status = 404
    close_code = 4404


class RateLimited(ConnectionRejected):
    code = "rate_limited"
    http_status = 429
    close_code = 4429
    is_final = False
    is_retryable = True


class SlowConsumer(ConnectionRejected):
    code = "slow_consumer"
    close_code = 4499
    is_final = False
    is_retryable = True
