"""Exceptions of this package, in one tree.

ScanrillError
├── RequestError            the server rejected the request and changed nothing; `code`, `retryable`, `fields`
│   ├── NotFound            the upload or page does not exist, or belongs to another user
│   └── NotReady            the page or upload is still being read; repeat the request
├── Unauthenticated         the server accepts no token of this client; sign in again
├── ConnectionRejected      the server closed the socket for good; `code` is 4403 (origin), 4404 (path)
│                           or the HTTP status of a proxy
├── CertificateError        the certificate of the server is not valid; see `tls=`
├── DeadlineExceeded        the time of `timeout=` is over; the server reads on
├── ServerUnreachable       the server does not respond, nothing changed; the same request may succeed later
├── ConnectionLost          there was no reply from the server; the change may or may not have been made
├── UnexpectedResponse      the peer is not a scanrill server, or has another version
└── NoTextError             the upload ended without a text
    ├── ReadingFailed       the server could not read the file; the message is the server's
    ├── Cancelled           the upload was cancelled
    └── UploadDeleted       the upload was deleted

No error message contains a token.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping


class ScanrillError(Exception):
    """Base class of all errors of this package; `str(error)` can be shown to any user."""


class RequestError(ScanrillError):
    """A request that the server rejected.

    Attributes:
        fields: The error message of each field that is wrong; `detail` is about the whole request.
        status: The HTTP status; None over the WebSocket.
        code: The kind of the error, such as `file_too_large`; "" over the WebSocket.
        retryable: Whether the same request can succeed later; always False over the WebSocket.
    """

    def __init__(
        self, fields: Mapping[str, str], status: int | None = None, *, code: str = "", retryable: bool = False
    ) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)
        self.status = status
        self.code = code
        self.retryable = retryable


class NotFound(RequestError):
    """An upload or page that does not exist for this user."""


class NotReady(RequestError):
    """A page or upload that is still being read; the same request succeeds later."""


class Unauthenticated(ScanrillError):
    """A token or password that the server does not accept."""


class ConnectionRejected(ScanrillError):
    """A WebSocket connection that the server refuses; connecting again does not help.

    Attributes:
        code: The close code of the WebSocket, or the HTTP status of the handshake.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"The server rejected the connection with code {code}.")
        self.code = code


class CertificateError(ScanrillError):
    """A certificate that is not valid, or of an authority that this machine does not know."""

    def __init__(self, error: ssl.SSLCertVerificationError) -> None:
        super().__init__(
            f"The certificate of the server is not valid: {error.verify_message}. If its authority is your "
            "own, pass tls=ssl.create_default_context(cafile=…)."
        )


class DeadlineExceeded(ScanrillError, TimeoutError):
    """A reading that did not end within the time of `timeout=`. The upload stays on the server."""


class ServerUnreachable(ScanrillError):
    """A server that does not respond; no change was made."""

    def __init__(
        self, message: str = "The server does not respond. Check the URL and that the server is running."
    ) -> None:
        super().__init__(message)


class ConnectionLost(ScanrillError):
    """A change without a reply: the connection broke, or a reverse proxy responded with 502 or above."""

    def __init__(
        self, message: str = "The connection was lost before the reply. Check whether the change was made."
    ) -> None:
        super().__init__(message)


class UnexpectedResponse(ScanrillError):
    """A response that this client cannot decode."""


class NoTextError(ScanrillError):
    """An upload that ended without a text."""

    def __init__(self, upload_id: str, message: str) -> None:
        super().__init__(message)
        self.upload_id = upload_id


class ReadingFailed(NoTextError):
    """An upload that the server could not read."""


class Cancelled(NoTextError):
    """An upload that a client cancelled."""


class UploadDeleted(NoTextError):
    """An upload that a client deleted."""

    def __init__(self, upload_id: str) -> None:
        super().__init__(upload_id, "The upload was deleted.")
