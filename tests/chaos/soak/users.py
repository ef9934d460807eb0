"""Users who act as planned, and write down what they were promised: an upload, or that it is deleted.

That is held against what there is in the end. Of a request whose answer was lost in an accident nothing is
known, and both is right.
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

# No accident lasts so long: an answer that has not come then does not come.
RESPONSE_TIMEOUT_SECONDS = 90
RECENT_UPLOADS = 3
WRONG_STATUS = re.compile("This upload has ended already|only one that has ended is read again")
# Not refused for what it is: "away" while an accident lasts, the others by the limits of `stage.SETTINGS`.
TRANSIENT_ERRORS = {
    "many waiting": "of your uploads wait to be read",
    "many files": "which is as many as one user may have here",
    "unavailable": "try again",
    "expired": "send it again",
}
FILENAMES = ("a.tif", "b c.png", "ü.pdf")


class User:
    """`following` are this user's clients: the first one acts as well. `problems` are sentences on its acts."""

    def __init__(self, account: Account, plan: UserPlan, marks: Path) -> None:
        self.account, self.plan, self._marks = account, plan, marks
        self.documents: dict[str, Document] = {}  # all that were sent, by their hash
        self.recorders = [
            EventRecorder(account, stream, plan.transport, self.documents, f"client {number}")
            for number, stream in enumerate(plan.streams, 1)
        ]
        self.client = self.recorders[0].client
        self.problems: list[str] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.acknowledged: dict[str, str] = {}  # id → hash
        self.requested_pages: dict[str, str] = {}  # hash → the pages that were asked for
        self.resubmitted: set[str] = set()
        self.limit_rejections: list[
            tuple[str, str, int]
        ] = []  # what was refused as too much, and how far the log was
        self.final_instances: dict[str, Instance] = {}  # what was asked in the end
        self.delete_requested: set[str] = set()
        self.deleted: set[str] = set()

    async def run(self, began: float) -> None:
        """All that is planned, each at its time or as soon after it as the one before has ended."""
        loop = asyncio.get_running_loop()
        for act in self.plan.actions:
            await asyncio.sleep(began + act.at - loop.time())
            self.outcomes[act.kind, await self._perform(act)] += 1

    async def _perform(self, act: UserAction) -> str:
        told_before = self.recorders[0].seq
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                return await self._ACTIONS[act.kind](self, act)
        except RequestError as error:
            return self._on_rejected(act, error, told_before)
        except (ConnectionLost, ServerUnreachable):
            return "no response"
        except TimeoutError:
            self.problems.append(f"no answer came to {act.kind} at {act.at:.1f} s")
        except Exception as error:
            self.problems.append(f"{act.kind} at {act.at:.1f} s failed: {error!r}")
        return "failed"

    def _on_rejected(self, act: UserAction, error: RequestError, told_before: int) -> str:
        """Whether there is a good reason; what is no picture is refused elsewhere."""
        if (reason := _transient_reason(error)) is not None:
            self.limit_rejections.append((act.kind, reason, told_before))
            return reason
        if act.kind in ("cancel", "retry") and WRONG_STATUS.search(str(error)):
            return "refused"
        self.problems.append(f"{act.kind} at {act.at:.1f} s was refused: {error.status} {error.fields}")
        return "failed"

    async def _create(self, act: UserAction) -> str:
        assert act.document is not None
        document = await asyncio.to_thread(make_document, act.document, self._marks)
        if act.document.kind == "refused":
            return await self._create_invalid(document)
        self.documents[document.sha256] = document
        self.requested_pages[document.sha256] = act.pages or ""
        created = await self._submit(document, pages=act.pages, priority="batch" if act.batch else None)
        return "duplicate" if created.duplicate else "done"

    async def _create_invalid(self, document: Document) -> str:
        try:
            created = await self.client.create(document.content)
        except RequestError as error:
            reason = _transient_reason(error)
            if reason is None and list(error.fields) not in (["image_base64"], ["file"]):
                self.problems.append(f"what is no picture was refused with {error.fields}")
            return reason or "refused"
        self.problems.append(f"what is no picture was taken as {created.upload_id}")
        return "failed"

    async def _resubmit(self, act: UserAction) -> str:
        """The same bytes once more."""
        if not self.documents:
            return "no upload"
        document = _choose(list(self.documents.values()), act.selector)
        self.resubmitted.add(document.sha256)
        return "duplicate" if (await self._submit(document)).duplicate else "done"

    async def _submit(self, document: Document, **wishes: Any) -> Created:
        created = await self.client.create(document.content, filename=f"{document.spec.name}", **wishes)
        self.acknowledged[created.upload_id] = document.sha256
        if created.instance.image_hash != document.sha256:
            self.problems.append(f"{created.upload_id} is not of the bytes that were sent")
        return created

    async def _cancel(self, act: UserAction) -> str:
        return await self._change(self._existing[-RECENT_UPLOADS:], act.selector, self.client.cancel)

    async def _retry(self, act: UserAction) -> str:
        ended = [key for key in self._existing if key in self.client.uploads and self._has_ended(key)]
        wishes: dict[str, Any] = {} if act.pages is None else {"pages": act.pages}
        return await self._change(ended, act.selector, lambda key: self.client.retry(key, **wishes))

    async def _rename(self, act: UserAction) -> str:
        name = _choose(FILENAMES, act.selector)
        return await self._change(
            self._existing, act.selector, lambda key: self.client.update(key, filename=name)
        )

    async def _correct(self, act: UserAction) -> str:
        text = None if act.selector < 0.3 else f"corrected {act.selector}"
        return await self._change(
            self._existing, act.selector, lambda key: self.client.update(key, processed_text=text)
        )

    async def _delete(self, act: UserAction) -> str:
        if not self._existing:
            return "no upload"
        key = _choose(self._existing, act.selector)
        self.delete_requested.add(key)
        with suppress(NotFound):  # a second one may have been heard of the first time
            await self.client.delete(key)
        self.deleted.add(key)
        return "done"

    async def _list(self, act: UserAction) -> str:
        before = self._existing
        there = {upload.id for upload in (await self.client.list()).uploads}
        if missing := set(before) - there - self.delete_requested:
            self.problems.append(f"the list at {act.at:.1f} s lacks {sorted(missing)[0]}")
        return "done"

    async def _drop(self, act: UserAction) -> str:
        """One of its clients loses the connection."""
        return "done" if _choose(self.recorders, act.selector).drop_connection() else "no upload"

    async def _change(self, keys: list[str], which: float, change: Callable[[str], Awaitable[Any]]) -> str:
        if not keys:
            return "no upload"
        await change(_choose(keys, which))
        return "done"

    @property
    def _existing(self) -> list[str]:
        """Those that are certainly there, the newest last."""
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
    """Why a request is refused that is right; None where it is wrong."""
    said = str(error)
    return next((reason for reason, words in TRANSIENT_ERRORS.items() if words in said), None)


def _choose(things: Sequence[T], which: float) -> T:
    return things[int(which * len(things))]
