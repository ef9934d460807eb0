"""Every error a user of scanrill can meet, in one tree; pure, no Django.

ScanrillError                  code, HTTP status, close code, and whether reconnecting can help
├── Invalid                    400         a field is wrong; `fields` says which and why
│   ├── ProtocolError          400         the frame cannot be decoded into a request
│   ├── UploadNotFound         404  4404   no such upload, or not this user's: nobody can tell which
│   ├── PageNotFound           404         the upload has no such page, or it is not read yet
│   ├── StatusConflict            409         what is asked does not go with the upload's status
│   ├── FileTooLarge               413         the file has more bytes than are allowed here
│   ├── StorageFull            507         no room for the file; free some, then send it again
│   ├── Unavailable            503         the database does not answer just now; send it again
│   ├── Ending                 503         the server is just ending; the next one may answer: try again
│   ├── StorageUnavailable     503         where files are kept does not answer; try again
│   ├── QuotaExceeded              507         the user has as many files, or bytes, as one may have here
│   └── PendingLimitExceeded         429         the user has as many waiting as may wait: try again later
├── CommandError                           a command stops with one line; nothing was changed
└── ConnectionRejected                      the socket is accepted and closed with the code
    ├── Unauthenticated        401  4401   token missing, bad or expired: refresh it, then reconnect
    ├── OriginNotAllowed          403  4403   a page of another site; final
    ├── UnknownEndpoint        404  4404   no such WebSocket path; final
    ├── RateLimited                429  4429   too many sockets or messages: wait, then reconnect
    └── SlowConsumer                     4499   the client does not read: reconnect
"""

from __future__ import annotations

from typing import ClassVar


class ScanrillError(Exception):
    """The root; `str(error)` is a sentence that may be shown to any user."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    close_code: ClassVar[int] = 1011
    is_final: ClassVar[bool] = True

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong with which field; `detail` where it is none's."""
        return {"detail": str(self)}


class RequestError(ScanrillError):
    """A request that cannot be carried out as it stands; nothing was changed."""

    code = "invalid"
    http_status = 400

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self._fields = fields

    @property
    def fields(self) -> dict[str, str]:
        return self._fields


class ProtocolError(RequestError):
    """A frame that is no request; the only exception that `protocol.decode` raises.

    `reply_type` is the type of the reply the client waits for, `ref` its own mark for the request.
    """

    code = "protocol"

    def __init__(self, fields: dict[str, str], *, reply_type: str = "error", ref: str | None = None) -> None:
        super().__init__(fields)
        self.reply_type = reply_type
        self.ref = ref


class UploadNotFound(RequestError):
    code = "not_found"
    http_status = 404
    close_code = 4404

    def __init__(self) -> None:
        super().__init__({"instance_id": "You have no upload with this id."})


class PageNotFound(RequestError):
    code = "page_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__({"number": "This page is not there, or not read yet."})


class StatusConflict(RequestError):
    """The sentence says which status the upload has."""

    code = "wrong_status"
    http_status = 409

    def __init__(self, sentence: str) -> None:
        super().__init__({"instance_id": sentence})


class FileTooLarge(RequestError):
    """`field` is the one that brought the bytes."""

    code = "too_large"
    http_status = 413

    def __init__(self, field: str, most_bytes: int) -> None:
        super().__init__({field: f"The file is larger than the {most_bytes} bytes allowed here."})


class StorageFull(RequestError):
    """Nothing was stored; `field` is the one that brought the bytes."""

    code = "storage_full"
    http_status = 507
    is_final = False

    def __init__(self, field: str) -> None:
        super().__init__({field: "storage_full: the server has no room for this file; nothing was stored."})


class DatabaseUnavailable(RequestError):
    """Whether the last try was carried out is not known where its answer was lost."""

    code = "unavailable"
    http_status = 503
    is_final = False

    def __init__(self) -> None:
        super().__init__({"server": "The database does not answer just now; try again."})


class ShuttingDown(RequestError):
    """Whether the request was carried out is not known."""

    code = "ending"
    http_status = 503
    is_final = False

    def __init__(self) -> None:
        super().__init__({"server": "The server is just ending; try again."})


class StorageUnavailable(RequestError):
    """Nothing was stored, and nothing is lost; `field` is the one that brought the bytes, if one did."""

    code = "storage_unavailable"
    http_status = 503
    is_final = False

    def __init__(self, field: str = "detail") -> None:
        super().__init__({field: "storage_unavailable: the files cannot be reached just now; try again."})


class QuotaExceeded(RequestError):
    """Nothing was stored; `field` is the one that brought the bytes."""

    code = "over_quota"
    http_status = 507

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__({field: sentence})


class PendingLimitExceeded(RequestError):
    """Nothing was changed; some of the user's uploads must be read first."""

    code = "too_many_pending"
    http_status = 429
    is_final = False

    def __init__(self, field: str, waiting: int) -> None:
        super().__init__(
            {field: f"{waiting} of your uploads wait to be read, which is as many as may; try again later."}
        )


class CommandError(ScanrillError):
    """The command cannot run here; the sentence says what to do about it."""

    code = "start_refused"


class ConnectionRejected(ScanrillError):
    """The WebSocket is accepted, then closed with `close_code`: a close before accept reaches no client."""


class Unauthenticated(ConnectionRejected):
    code = "unauthenticated"
    http_status = 401
    close_code = 4401
    is_final = False


class OriginNotAllowed(ConnectionRejected):
    code = "origin_refused"
    http_status = 403
    close_code = 4403


class UnknownEndpoint(ConnectionRejected):
    code = "endpoint_unknown"
    http_status = 404
    close_code = 4404


class RateLimited(ConnectionRejected):
    code = "too_many"
    http_status = 429
    close_code = 4429
    is_final = False


class SlowConsumer(ConnectionRejected):
    code = "too_slow"
    close_code = 4499
    is_final = False
