"""Everything that can go wrong, in one tree.

ScanrillError
├── RequestError      the server says what is wrong, field by field; nothing was changed
│   └── NotFound        no such upload or page, or it is another user's
├── Unauthenticated     no token that the server takes: a new sign-in is needed
├── ConnectionRejected   no socket for good; `code` says why (4403 origin, 4404 path, or a proxy's HTTP status)
├── ServerUnreachable         no answer from the server; the same request may go through later
├── ConnectionLost      the connection broke before the reply: the change may or may not have happened
├── UnexpectedResponse    what answers is no scanrill server, or one of another version
└── NoTextError             the upload has no text in the end
    ├── ReadingFailed   it cannot be read; the text is the server's sentence
    ├── Cancelled       somebody cancelled it
    └── UploadDeleted   somebody deleted it

No text of an error holds a token.
"""

from __future__ import annotations

from collections.abc import Mapping


class ScanrillError(Exception):
    """The root; `str(error)` is a sentence that may be shown to anybody."""


class RequestError(ScanrillError):
    """`fields` says what is wrong with which field, `status` is HTTP's where the request was one."""

    def __init__(self, fields: Mapping[str, str], status: int | None = None) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = dict(fields)
        self.status = status


class NotFound(RequestError):
    pass


class Unauthenticated(ScanrillError):
    pass


class ConnectionRejected(ScanrillError):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"The server refuses the connection ({code}).")
        self.code = code


class ServerUnreachable(ScanrillError):
    def __init__(self, sentence: str = "The server does not answer. Is it running?") -> None:
        super().__init__(sentence)


class ConnectionLost(ScanrillError):
    def __init__(self, sentence: str = "The connection broke before the reply came.") -> None:
        super().__init__(sentence)


class UnexpectedResponse(ScanrillError):
    pass


class NoTextError(ScanrillError):
    def __init__(self, upload_id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.upload_id = upload_id


class ReadingFailed(NoTextError):
    pass


class Cancelled(NoTextError):
    pass


class UploadDeleted(NoTextError):
    def __init__(self, upload_id: str) -> None:
        super().__init__(upload_id, "The upload was deleted.")
