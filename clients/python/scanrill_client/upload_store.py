"""State of all uploads, computed from events; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from .events import AnyEvent, Created, Deleted, Finished, Progress, Snapshot, Updated
from .messages import Instance


class UploadStore(Mapping[str, Instance]):
    """Read-only mapping of upload ids to uploads. Applying an event twice has no effect.

    `Finished` carries the status and the texts only. Fields that no event carries (`pages_done`,
    `updated_at`, …) keep the value of an earlier message; `retrieve` returns the present one.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Instance] = {}

    def __getitem__(self, upload_id: str) -> Instance:
        return self._by_id[upload_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        return f"<UploadStore: {len(self)}>"

    def apply(self, event: AnyEvent) -> None:
        """Update the state by one event."""
        match event:
            case Snapshot(uploads=uploads):
                self._by_id = {instance.id: instance for instance in uploads}
            case Created(instance=instance, duplicate=True) if instance.is_terminal and instance.id in self:
                pass  # the upload did not change, and the reply lacks its texts
            case Created(instance=instance) | Updated(instance=instance):
                self._by_id[instance.id] = instance
            case Deleted(instance=instance):
                self._by_id.pop(instance.id, None)
            case Progress():
                self._apply_progress(event)
            case Finished():
                self._apply_finished(event)

    def _apply_progress(self, event: Progress) -> None:
        page_count = {} if event.page_count is None else {"page_count": event.page_count}
        self._replace_fields(event.id, status="processing", **page_count)

    def _apply_finished(self, event: Finished) -> None:
        if event.instance is not None and event.status == "processed":
            self._by_id[event.id] = event.instance
            return
        self._replace_fields(
            event.id,
            status=event.status,
            error=event.error,
            raw_text=event.raw_text,
            processed_text=event.processed_text,
        )

    def _replace_fields(self, upload_id: str, **fields: object) -> None:
        if upload := self._by_id.get(upload_id):
            self._by_id[upload_id] = msgspec.structs.replace(upload, **fields)
