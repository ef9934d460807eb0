"""What the messages of the specification look like."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.websocket_client import TERMINAL, Message, WebSocketClient

INSTANCE_KEYS = {
    *("id", "owner", "filename", "image_path", "image_hash", "content_type", "bytes", "status", "error"),
    *("page_count", "pages_done", "engine", "languages", "metadata", "warnings", "created_at", "updated_at"),
}
INSTANCE_KEYS_WITH_TEXTS = INSTANCE_KEYS | {"raw_text", "processed_text"}
PARTIAL_KEYS = {"id", "status", "streamed_text", "type"}
PROCESSED_KEYS = {"id", "status", "raw_text", "processed_text", "type"}
FAILED_KEYS = {"id", "status", "type", "error"}


def received_types(client: WebSocketClient, upload_id: str) -> list[str]:
    """What a socket heard of an upload, in order: types of replies and events, statuses of the reading."""
    told = []
    for message in client.seen:
        if message.get("id") == upload_id:
            told.append(message["status"])
        elif message.get("instance", {}).get("id") == upload_id:
            told.append(message["type"])
    return told


def partial_texts(client: WebSocketClient, upload_id: str) -> list[str]:
    """The texts of an upload's partials, in order."""
    return [m["streamed_text"] for m in client.seen if m.get("id") == upload_id and "streamed_text" in m]


async def receive_until(client: WebSocketClient, wanted: Callable[[Message], bool]) -> Message:
    """The first message that is wanted, among those passed over and those still to come."""
    for message in client.seen:
        if wanted(message):
            return message
    return await client.receive_until(wanted)


async def receive_terminal(client: WebSocketClient, upload_id: str) -> Message:
    """The terminal message of an upload, also when it came while something else was waited for."""
    return await receive_until(client, lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL)


async def assert_no_more_messages(client: WebSocketClient) -> None:
    """Nothing waits for this socket: the reply to a request sent now is the very next message."""
    await client.send({"type": "subscribe", "ref": "nothing more"})
    message = await client.receive()
    assert message.get("ref") == "nothing more", f"unexpected: {message}"


async def upload_ids(client: WebSocketClient) -> list[str]:
    """The ids of all the user's uploads, newest first."""
    reply: Message = await client.request({"type": "list"})
    return [instance["id"] for instance in reply["list"]]
