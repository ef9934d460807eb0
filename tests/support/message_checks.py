"""Keys of the specification's messages, and helpers that wait for and inspect messages."""

from __future__ import annotations

from tests.support.event_stream_client import EventStreamClient
from tests.support.websocket_client import TERMINAL, Message, WebSocketClient

INSTANCE_KEYS = {
    *("id", "owner", "filename", "image_path", "image_hash", "content_type", "bytes", "status", "error"),
    "error_code",
    *("page_count", "pages_done", "engine", "languages", "metadata", "warnings", "created_at", "updated_at"),
    *("reading", "confidence", "uncertain_share"),
}
INSTANCE_KEYS_WITH_TEXTS = INSTANCE_KEYS | {"raw_text", "processed_text"}
PARTIAL_KEYS = {"id", "status", "streamed_text", "type"}
PROCESSED_KEYS = {"id", "status", "raw_text", "processed_text", "type"}
FAILED_KEYS = {"id", "status", "type", "error"}


def received_types(client: WebSocketClient, upload_id: str) -> list[str]:
    """Return the message types and statuses that a client received for an upload, in order."""
    types = []
    for message in client.seen:
        if message.get("id") == upload_id:
            types.append(message["status"])
        elif message.get("instance", {}).get("id") == upload_id:
            types.append(message["type"])
    return types


def partial_texts(client: WebSocketClient, upload_id: str) -> list[str]:
    """Return the texts of an upload's partial messages, in order."""
    return [m["streamed_text"] for m in client.seen if m.get("id") == upload_id and "streamed_text" in m]


async def receive_terminal(client: WebSocketClient, upload_id: str) -> Message:
    """Return the terminal message of an upload, also if it has already come."""
    return await client.received(lambda m: m.get("id") == upload_id and m.get("status") in TERMINAL)


async def assert_no_more_messages(client: WebSocketClient) -> None:
    """Assert that the reply to a request sent now, or its event, is the very next message."""
    if isinstance(client, EventStreamClient):
        await client.assert_next_message_is_of_a_new_upload()
        return
    await client.send({"type": "subscribe", "ref": "nothing more"})
    message = await client.receive()
    assert message.get("ref") == "nothing more", f"unexpected: {message}"


async def upload_ids(client: WebSocketClient) -> list[str]:
    """Return the ids of all the user's uploads, newest first."""
    reply: Message = await client.request({"type": "list"})
    return [instance["id"] for instance in reply["list"]]
