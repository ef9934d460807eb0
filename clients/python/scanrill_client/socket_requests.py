"""Requests over the WebSocket; implements `rest_requests.RequestTransport`."""

from __future__ import annotations

from .connection import ReconnectingConnection
from .errors import NotFound, RequestError, UnexpectedResponse
from .events import Created
from .messages import Instance, Json, Listing, ServerMessage
from .upload_file import UploadFile


class SocketRequests:
    """Requests over the WebSocket."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection

    async def create(self, file: UploadFile, options: Json) -> Created:
        """Upload a file in one message. Use REST for large files."""
        data = {"image_base64": await file.base64(), "on_duplicate": "reread"} | options
        if file.filename is not None:
            data["image_path"] = file.filename
        reply = await self._connection.request({"type": "create", "data": data})
        return Created(instance=_instance_of(reply), duplicate=reply.duplicate)

    async def list(self, filters: Json) -> Listing:
        reply = await self._connection.request({"type": "list"} | filters)
        return Listing(uploads=reply.uploads or (), next=reply.next, total=reply.total)

    async def retrieve(self, upload_id: str) -> Instance:
        return await self._request_instance("retrieve", upload_id)

    async def update(self, upload_id: str, fields: Json) -> Instance:
        return await self._request_instance("update", upload_id, data=fields)

    async def delete(self, upload_id: str) -> Instance:
        return await self._request_instance("delete", upload_id)

    async def cancel(self, upload_id: str) -> Instance:
        """Cancel the upload, then retrieve it: the reply carries the status only."""
        await self._connection.request({"type": "cancel", "instance_id": upload_id})
        return await self.retrieve(upload_id)

    async def retry(self, upload_id: str, options: Json) -> Instance:
        return await self._request_instance("retry", upload_id, **({"data": options} if options else {}))

    async def _request_instance(self, request_type: str, upload_id: str, **fields: object) -> Instance:
        request: Json = {"type": request_type, "instance_id": upload_id}
        try:
            return _instance_of(await self._connection.request(request | fields))
        except RequestError as error:
            # A retry also reports a status that does not permit it in `instance_id`.
            if request_type != "retry" and "instance_id" in error.fields:
                raise NotFound(error.fields) from None
            raise


def _instance_of(reply: ServerMessage) -> Instance:
    if reply.instance is None:
        raise UnexpectedResponse("The reply of the server contains no upload. Check both versions.")
    return reply.instance
