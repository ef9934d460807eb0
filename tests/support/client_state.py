"""What a client of events knows of its uploads: the list it began with, and every event since."""

from __future__ import annotations

from typing import Any

from tests.support.websocket_client import Message

# Fields that change while an upload is read, without an event: what is live is not in the log.
LIVE_FIELDS = ("pages_done", "page_count", "updated_at", "engine", "warnings")


class ClientState:
    """Takes messages in; `uploads` are by their ids. A message that must not come is an AssertionError."""

    def __init__(self) -> None:
        self.uploads: dict[str, dict[str, Any]] = {}
        self.cursor: str | None = None

    @property
    def seq(self) -> int:
        return int((self.cursor or ":0").rpartition(":")[2])

    def apply(self, message: Message) -> None:
        """An acknowledgement, a snapshot or an event; other messages change nothing."""
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
            told = {key: message[key] for key in ("status", "error") if key in message}
            self.uploads[message["id"]] = self.uploads[message["id"]] | {"error": None} | told

    def comparable(self) -> dict[str, dict[str, Any]]:
        """What a fresh list must say as well."""
        return comparable(list(self.uploads.values()))


def comparable(instances: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Instances by id without their texts, and without what changes unsaid."""
    left_out = {*LIVE_FIELDS, "raw_text", "processed_text"}
    shown = ({key: value for key, value in i.items() if key not in left_out} for i in instances)
    return {i["id"]: i | {"status": "pending" if i["status"] == "processing" else i["status"]} for i in shown}
