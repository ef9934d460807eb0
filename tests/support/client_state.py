"""The upload state that a client builds from a snapshot and the events after it."""

from __future__ import annotations

from typing import Any

from tests.support.websocket_client import Message

# Fields that change during a reading without an event: live progress is not in the log.
LIVE_FIELDS = (
    "pages_done",
    "page_count",
    "updated_at",
    "engine",
    "warnings",
    "confidence",
    "uncertain_share",
)


class ClientState:
    """A reducer over received messages. `uploads` maps ids to instances.

    Raises AssertionError for an event that is out of order.
    """

    def __init__(self) -> None:
        self.uploads: dict[str, dict[str, Any]] = {}
        self.cursor: str | None = None

    @property
    def seq(self) -> int:
        return int((self.cursor or ":0").rpartition(":")[2])

    def apply(self, message: Message) -> None:
        """Apply an acknowledgement, a snapshot or an event; ignore other messages."""
        if message.get("type") == "subscribed":
            self.cursor = message["cursor"]
        elif message.get("type") == "Upload.list" and "ref" not in message:
            self.uploads = {instance["id"]: instance for instance in message["list"]}
        elif "cursor" in message:
            self._apply_event(message)

    def _apply_event(self, message: Message) -> None:
        seq = int(message["cursor"].rpartition(":")[2])
        assert seq > self.seq, f"{message['cursor']} after {self.cursor}"
        self.cursor = message["cursor"]
        if message["type"] == "Upload.deleted":
            del self.uploads[message["instance"]["id"]]
        elif "instance" in message:
            self.uploads[message["instance"]["id"]] = message["instance"]
        else:
            changes = {key: message[key] for key in ("status", "error") if key in message}
            self.uploads[message["id"]] = self.uploads[message["id"]] | {"error": None} | changes

    def comparable(self) -> dict[str, dict[str, Any]]:
        """Return the state in the form that `comparable` gives a fresh list."""
        return comparable(list(self.uploads.values()))


def comparable(instances: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return instances by id, without texts and without fields that change without an event."""
    excluded = {*LIVE_FIELDS, "raw_text", "processed_text"}
    kept = ({key: value for key, value in i.items() if key not in excluded} for i in instances)
    return {i["id"]: i | {"status": "pending" if i["status"] == "processing" else i["status"]} for i in kept}
