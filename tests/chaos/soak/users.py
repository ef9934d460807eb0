"""Users that act as planned, and record the uploads and deletes that the server acknowledged.

The invariants compare these records with the final state. A request without a response may or may not have
taken effect.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from scanrill_client import ConnectionLost, Created, Instance, NotFound, RequestError, ServerUnreachable

from tests.chaos.soak.documents import Document, make_document
from tests.chaos.soak.event_recorder import EventRecorder
from tests.chaos.soak.plan import UserAction, UserPlan
from tests.support.accounts import Account

T = TypeVar("T")

# Longer than any fault: a response that has not arrived by then does not arrive.
RESPONSE_TIMEOUT_SECONDS = 90
RECENT_UPLOADS = 3
# A rejection due to the upload's status names that status.
WRONG_STATUS = re.compile(r"\b(pending|processing|processed|error|cancelled)\b")
# Rejections that are not due to the request: faults, and the limits of `deployment.SETTINGS`.
TRANSIENT_ERRORS = {
    "many waiting": re.compile(r"\d+ uploads waiting"),
    "many files": re.compile(r"\d+ files, the maximum"),
    "unavailable": re.compile("try again", re.IGNORECASE),
    "deleted meanwhile": re.compile("Send the file again"),
}
FILENAMES = ("a.tif", "b c.png", "ü.pdf")


class User:
    """A user. `recorders` are its clients, the first of which also acts; `problems` lists failed actions."""

    def __init__(self, account: Account, plan: UserPlan, crash_markers: Path) -> None:
        self.account, self.plan, self._crash_markers = account, plan, crash_markers
        self.documents: dict[str, Document] = {}  # all documents sent, by hash
        self.recorders = [
            EventRecorder(account, stream, plan.transport, self.documents, f"client {number}")
            for number, stream in enumerate(plan.streams, 1)
        ]
        self.client = self.recorders[0].client
        self.problems: list[str] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.acknowledged: dict[str, str] = {}  # id → hash
        self.requested_pages: dict[str, str] = {}  # hash → requested pages
        self.resubmitted: set[str] = set()
        self.limit_rejections: list[tuple[str, str, int]] = []  # action, limit, seq at that time
        self.final_instances: dict[str, Instance] = {}  # retrieved at the end
        self.delete_requested: set[str] = set()
        self.deleted: set[str] = set()

    async def run(self, started_at: float) -> None:
        """Perform all planned actions, each at its time or right after the previous one."""
        loop = asyncio.get_running_loop()
        for action in self.plan.actions:
            await asyncio.sleep(started_at + action.at - loop.time())
            self.outcomes[action.kind, await self._perform(action)] += 1

    async def _perform(self, action: UserAction) -> str:
        seq_before = self.recorders[0].seq
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                return await self._ACTIONS[action.kind](self, action)
        except RequestError as error:
            return self._on_rejected(action, error, seq_before)
        except (ConnectionLost, ServerUnreachable):
            return "no response"
        except TimeoutError:
            self.problems.append(f"{action.kind} at {action.at:.1f} s got no response")
        except Exception as error:
            self.problems.append(f"{action.kind} at {action.at:.1f} s failed: {error!r}")
        return "failed"

    def _on_rejected(self, action: UserAction, error: RequestError, seq_before: int) -> str:
        """Return the outcome of a rejected action; a rejection without a valid reason is a problem."""
        if (reason := _transient_reason(error)) is not None:
            self.limit_rejections.append((action.kind, reason, seq_before))
            return reason
        if action.kind in ("cancel", "retry") and WRONG_STATUS.search(str(error)):
            return "rejected"
        self.problems.append(
            f"{action.kind} at {action.at:.1f} s was rejected: {error.status} {error.fields}"
        )
        return "failed"

    async def _create(self, action: UserAction) -> str:
        assert action.document is not None
        document = await asyncio.to_thread(make_document, action.document, self._crash_markers)
        if action.document.kind == "rejected":
            return await self._create_invalid(document)
        self.documents[document.sha256] = document
        self.requested_pages[document.sha256] = action.pages or ""
        created = await self._submit(document, pages=action.pages, priority="batch" if action.batch else None)
        return "duplicate" if created.duplicate else "done"

    async def _create_invalid(self, document: Document) -> str:
        try:
            created = await self.client.create(document.content)
        except RequestError as error:
            reason = _transient_reason(error)
            if reason is None and list(error.fields) not in (["image_base64"], ["file"]):
                self.problems.append(f"an invalid file was rejected with {error.fields}")
            return reason or "rejected"
        self.problems.append(f"an invalid file was accepted as {created.upload_id}")
        return "failed"

    async def _resubmit(self, action: UserAction) -> str:
        """Send the bytes of an earlier upload again."""
        if not self.documents:
            return "no upload"
        document = _choose(list(self.documents.values()), action.selector)
        self.resubmitted.add(document.sha256)
        return "duplicate" if (await self._submit(document)).duplicate else "done"

    async def _submit(self, document: Document, **options: Any) -> Created:
        created = await self.client.create(document.content, filename=f"{document.spec.name}", **options)
        self.acknowledged[created.upload_id] = document.sha256
        if created.instance.image_hash != document.sha256:
            self.problems.append(f"{created.upload_id} has other bytes than those sent")
        return created

    async def _cancel(self, action: UserAction) -> str:
        return await self._change(self._existing[-RECENT_UPLOADS:], action.selector, self.client.cancel)

    async def _retry(self, action: UserAction) -> str:
        ended = [key for key in self._existing if key in self.client.uploads and self._has_ended(key)]
        options: dict[str, Any] = {} if action.pages is None else {"pages": action.pages}
        return await self._change(ended, action.selector, lambda key: self.client.retry(key, **options))

    async def _rename(self, action: UserAction) -> str:
        name = _choose(FILENAMES, action.selector)
        return await self._change(
            self._existing, action.selector, lambda key: self.client.update(key, filename=name)
        )

    async def _correct(self, action: UserAction) -> str:
        text = None if action.selector < 0.3 else f"corrected {action.selector}"
        return await self._change(
            self._existing, action.selector, lambda key: self.client.update(key, processed_text=text)
        )

    async def _delete(self, action: UserAction) -> str:
        if not self._existing:
            return "no upload"
        key = _choose(self._existing, action.selector)
        self.delete_requested.add(key)
        with suppress(NotFound):  # an earlier attempt may have succeeded
            await self.client.delete(key)
        self.deleted.add(key)
        return "done"

    async def _list(self, action: UserAction) -> str:
        before = self._existing
        listed = {upload.id for upload in (await self.client.list()).uploads}
        if missing := set(before) - listed - self.delete_requested:
            self.problems.append(f"the list at {action.at:.1f} s misses {sorted(missing)[0]}")
        return "done"

    async def _drop(self, action: UserAction) -> str:
        """Abort the connection of one of the clients."""
        return "done" if _choose(self.recorders, action.selector).drop_connection() else "no upload"

    async def _change(self, keys: list[str], selector: float, change: Callable[[str], Awaitable[Any]]) -> str:
        if not keys:
            return "no upload"
        await change(_choose(keys, selector))
        return "done"

    @property
    def _existing(self) -> list[str]:
        """The uploads that certainly exist, the newest last."""
        return [key for key in self.acknowledged if key not in self.delete_requested]

    def _has_ended(self, key: str) -> bool:
        return self.client.uploads[key].is_terminal

    _ACTIONS: dict[str, Callable[[User, UserAction], Awaitable[str]]] = {
        "create": _create,
        "resubmit": _resubmit,
        "cancel": _cancel,
        "retry": _retry,
        "delete": _delete,
        "rename": _rename,
        "correct": _correct,
        "list": _list,
        "drop": _drop,
    }


def _transient_reason(error: RequestError) -> str | None:
    """Return why a valid request was rejected; None if the request is invalid."""
    message = str(error)
    return next((reason for reason, pattern in TRANSIENT_ERRORS.items() if pattern.search(message)), None)


def _choose(items: Sequence[T], selector: float) -> T:
    return items[int(selector * len(items))]
