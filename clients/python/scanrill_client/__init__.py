"""Client library for scanrill, a self-hosted OCR server that streams text as Markdown while it reads.

    async with AsyncClient("http://127.0.0.1:8000", token=…) as client:
        print(await client.read("receipt.jpg"))

`Client` has the same methods without asyncio. An event passes through the modules in this order:

    websocket → connection → event_sync → upload_store, event_queue → event_methods → client

`async_client` puts the methods together. Retries: `event_methods` and `http` repeat requests,
`connection` reconnects the socket; `backoff` computes the delays.

`messages`, `request_options`, `readings`, `api_keys`, `search_results`, `events`, `event_sync`,
`upload_store`, `backoff` and `server_url` are pure: no network, no clock.
"""

from .api_keys import ApiKey, ApiKeys, KeyScope, NewApiKey
from .async_client import AsyncClient
from .backoff import Backoff
from .client import Client
from .connection import Timeouts
from .errors import (
    Cancelled,
    CertificateError,
    ConnectionLost,
    ConnectionRejected,
    DeadlineExceeded,
    NoTextError,
    NotFound,
    NotReady,
    ReadingFailed,
    RequestError,
    ScanrillError,
    ServerUnreachable,
    Unauthenticated,
    UnexpectedResponse,
    UploadDeleted,
)
from .events import AnyEvent, Created, Deleted, Event, Finished, Progress, Snapshot, Updated
from .messages import (
    Block,
    Engine,
    Engines,
    Instance,
    LinePosition,
    Listing,
    Me,
    Page,
    PageLine,
    PageWarning,
    Session,
    Sessions,
    Status,
    Stream,
    TableCell,
    UploadWarning,
    Word,
)
from .readings import (
    PageComparison,
    Reading,
    ReadingComparison,
    ReadingInfo,
    Readings,
    WordChange,
)
from .request_options import ExportOptions, ListFilters, ReadOptions, UploadOptions
from .search_results import SearchField, SearchHit, SearchLine, SearchResults, Snippet
from .tokens import Password, RefreshToken, TokenSource
from .upload_file import FileSource
from .upload_store import UploadStore

__version__ = "0.1.0"

__all__ = [
    "AnyEvent",
    "ApiKey",
    "ApiKeys",
    "AsyncClient",
    "Backoff",
    "Block",
    "Cancelled",
    "CertificateError",
    "Client",
    "ConnectionLost",
    "ConnectionRejected",
    "Created",
    "DeadlineExceeded",
    "Deleted",
    "Engine",
    "Engines",
    "Event",
    "ExportOptions",
    "FileSource",
    "Finished",
    "Instance",
    "KeyScope",
    "LinePosition",
    "ListFilters",
    "Listing",
    "Me",
    "NewApiKey",
    "NoTextError",
    "NotFound",
    "NotReady",
    "Page",
    "PageComparison",
    "PageLine",
    "PageWarning",
    "Password",
    "Progress",
    "ReadOptions",
    "Reading",
    "ReadingComparison",
    "ReadingFailed",
    "ReadingInfo",
    "Readings",
    "RefreshToken",
    "RequestError",
    "ScanrillError",
    "SearchField",
    "SearchHit",
    "SearchLine",
    "SearchResults",
    "ServerUnreachable",
    "Session",
    "Sessions",
    "Snapshot",
    "Snippet",
    "Status",
    "Stream",
    "TableCell",
    "Timeouts",
    "TokenSource",
    "Unauthenticated",
    "UnexpectedResponse",
    "Updated",
    "UploadDeleted",
    "UploadOptions",
    "UploadStore",
    "UploadWarning",
    "Word",
    "WordChange",
    "__version__",
]
