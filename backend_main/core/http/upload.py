"""Handler of `POST /api/uploads/`: creates an upload of the file in the body, or at a URL."""

from __future__ import annotations

from functools import partial

from ..auth import authentication
from ..db import executor
from ..protocol import messages, serializers
from .creation import OtherParameters, create_from_request
from .responses import send_json, upload_location
from .stream_routes import StreamRoute
from .types import Receive, Scope, Send
from .waiting import WAIT, prefer_of, run_while_connected, wait_if_asked, wait_seconds


async def create_upload(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `POST /api/uploads/`: receive the file, then create the upload; wait for its end if asked."""
    identity = await executor.run_in_db_thread(authentication.authenticate_request, scope)
    parse_wait = partial(wait_seconds, prefer=prefer_of(scope), default=0)
    created = await create_from_request(scope, receive, identity.user, OtherParameters((WAIT,), parse_wait))
    waiting = wait_if_asked(scope, identity, created.upload, created.others)
    upload = await run_while_connected(receive, waiting)
    response = messages.UploadMessage(
        type="Upload.created",
        instance=serializers.instance(upload, texts=bool(created.others)),
        duplicate=created.duplicate,
    )
    headers = {"Location": upload_location(upload.pk)}
    await send_json(receive, send, 200 if created.duplicate else 201, response, headers)


UPLOADS = StreamRoute("api/uploads/", {"POST": create_upload})
