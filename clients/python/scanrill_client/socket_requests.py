"""The requests of `rest.RequestTransport`, over the WebSocket."""

from __future__ import annotations

from .connection import ReconnectingConnection
from .errors import NotFound, RequestError, UnexpectedResponse
from .events import Created
from .messages import Instance, Json, Listing, ServerMessage
from .upload_file import UploadFile


class SocketRequests:
    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection

    async def create(self, file: UploadFile, asked: Json) -> Created:
        """The file in one message; what is large is better sent by REST."""
        data = {"image_base64": await file.base64()} | asked
        if file.filename is not None:
            data["image_path"] = file.filename
        reply = await self._connection.request({"type": "create", "data": data})
        return Created(instance=_instance(reply), duplicate=reply.duplicate)

    async def list(self, wanted: Json) -> Listing:
        reply = await self._connection.request({"type": "list"} | wanted)
        return Listing(uploads=reply.uploads or (), next=reply.next)

    async def retrieve(self, upload_id: str) -> Instance:
        return await self._change("retrieve", upload_id)

    async def update(self, upload_id: str, changes: Json) -> Instance:
        return await self._change("update", upload_id, data=changes)

    async def delete(self, upload_id: str) -> Instance:
        return await self._change("delete", upload_id)

    async def cancel(self, upload_id: str) -> Instance:
        """The reply tells that it is cancelled and no more: how it is then is asked for."""
        await self._connection.request({"type": "cancel", "instance_id": upload_id})
        return await self.retrieve(upload_id)

    async def retry(self, upload_id: str, asked: Json) -> Instance:
        return await self._change("retry", upload_id, **({"data": asked} if asked else {}))

    async def _change(self, kind: str, upload_id: str, **more: object) -> Instance:
        request: Json = {"type": kind, "instance_id": upload_id}
        try:
            return _instance(await self._connection.request(request | more))
        except RequestError as error:
            if kind != "retry" and "instance_id" in error.fields:
                raise NotFound(error.fields) from None
            raise  # or the upload's status does not go with it


def _instance(reply: ServerMessage) -> Instance:
    if reply.instance is None:
        raise UnexpectedResponse("The server's answer has no upload in it.")
    return reply.instance
