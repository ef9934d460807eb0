"""A client of scanrill, a server that reads scans: their text as Markdown, live while it is read.

    async with AsyncClient("http://127.0.0.1:8000", token=…) as client:
        print(await client.read("receipt.jpg"))

`Client` is the same without asyncio. The order in which an event flows through the modules:

    wire → connection → follower → uploads, feed → async_client → client

`messages`, `events`, `follower`, `uploads`, `backoff` and `address` are pure: no network, no clock.
"""

from .async_client import AsyncClient
from .backoff import Backoff
from .client import Client
from .connection import Timing
from .errors import (
    Cancelled,
    ConnectionLost,
    ConnectionRefused,
    NotFound,
    NotRead,
    ReadingFailed,
    RequestRefused,
    ScanrillError,
    Unauthenticated,
    UnexpectedAnswer,
    Unreachable,
    UploadDeleted,
)
from .events import Created, Deleted, Ended, Event, Listed, Progress, Updated
from .messages import (
    Engine,
    Engines,
    Instance,
    LinePlace,
    Listing,
    Me,
    Page,
    PageLine,
    Status,
    Stream,
    Wishes,
)
from .tokens import Password, RefreshToken, TokenSource
from .uploads import Uploads

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "Backoff",
    "Cancelled",
    "Client",
    "ConnectionLost",
    "ConnectionRefused",
    "Created",
    "Deleted",
    "Ended",
    "Engine",
    "Engines",
    "Event",
    "Instance",
    "LinePlace",
    "Listed",
    "Listing",
    "Me",
    "NotFound",
    "NotRead",
    "Page",
    "PageLine",
    "Password",
    "Progress",
    "ReadingFailed",
    "RefreshToken",
    "RequestRefused",
    "ScanrillError",
    "Status",
    "Stream",
    "Timing",
    "TokenSource",
    "Unauthenticated",
    "UnexpectedAnswer",
    "Unreachable",
    "Updated",
    "UploadDeleted",
    "Uploads",
    "Wishes",
    "__version__",
]
