"""The state of all uploads, by applying what happened to what there was; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from .events import Created, Deleted, Event, Finished, Progress, Snapshot, Updated
from .messages import Instance


class UploadStore(Mapping[str, Instance]):
    """By their ids. Applying an event twice changes nothing.

    An upload is as the messages told it: the end of a reading tells status and texts and no more, so what
    only `retrieve` tells (`pages_done`, `updated_at`, …) is as of the message before.
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

    def apply(self, event: Event) -> None:
        match event:
            case Snapshot(uploads=uploads):
                self._by_id = {instance.id: instance for instance in uploads}
            case Created(instance=instance, duplicate=True) if instance.is_terminal and instance.id in self:
                pass  # it is as it was, and the reply has no texts
            case Created(instance=instance) | Updated(instance=instance):
                self._by_id[instance.id] = instance
            case Deleted(instance=instance):
                self._by_id.pop(instance.id, None)
            case Progress():
                self._read_on(event)
            case Finished():
                self._end(event)
            case _:  # of the future
                pass

    def _read_on(self, event: Progress) -> None:
        known = {} if event.page_count is None else {"page_count": event.page_count}
        self._change(event.id, status="processing", **known)

    def _end(self, event: Finished) -> None:
        self._change(
            event.id,
            status=event.status,
            error=event.error,
            raw_text=event.raw_text,
            processed_text=event.processed_text,
        )

    def _change(self, upload_id: str, **changes: object) -> None:
        if before := self._by_id.get(upload_id):
            self._by_id[upload_id] = msgspec.structs.replace(before, **changes)
