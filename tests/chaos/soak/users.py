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

from tests.chaos.soak.documents import Document, made
from tests.chaos.soak.event_recorder import Following
from tests.chaos.soak.plan import UserAction, UserPlan
from tests.support.accounts import Account

T = TypeVar("T")

# No accident lasts so long: an answer that has not come then does not come.
ANSWER_SECONDS = 90
RECENT = 3
ENDED_ALREADY = re.compile("Only an open upload can be cancelled|Wait until it ends, or cancel it")
# Not refused for what it is: "away" while an accident lasts, the others by the limits of `stage.SETTINGS`.
PASSING = {
    "many waiting": "uploads waiting, the maximum",
    "many files": "files, the maximum",
    "away": "Try again",
    "gone": "Send the file again",
}
NAMES = ("a.tif", "b c.png", "ü.pdf")


class User:
    """`following` are this user's clients: the first one acts as well. `amiss` are sentences on its acts."""

    def __init__(self, account: Account, plan: UserPlan, marks: Path) -> None:
        self.account, self.plan, self._marks = account, plan, marks
        self.documents: dict[str, Document] = {}  # all that were sent, by their hash
        self.following = [
            Following(account, stream, plan.over, self.documents, f"client {number}")
            for number, stream in enumerate(plan.streams, 1)
        ]
        self.client = self.following[0].client
        self.amiss: list[str] = []
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.acknowledged: dict[str, str] = {}  # id → hash
        self.ranges: dict[str, str] = {}  # hash → the pages that were asked for
        self.sent_again: set[str] = set()
        self.limits: list[tuple[str, str, int]] = []  # what was refused as too much, and how far the log was
        self.answers: dict[str, Instance] = {}  # what was asked in the end
        self.to_delete: set[str] = set()
        self.deleted: set[str] = set()

    async def act(self, began: float) -> None:
        """All that is planned, each at its time or as soon after it as the one before has ended."""
        loop = asyncio.get_running_loop()
        for act in self.plan.acts:
            await asyncio.sleep(began + act.at - loop.time())
            self.outcomes[act.do, await self._try(act)] += 1

    async def _try(self, act: UserAction) -> str:
        told_before = self.following[0].seq
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._DO[act.do](self, act)
        except RequestError as error:
            return self._refused(act, error, told_before)
        except (ConnectionLost, ServerUnreachable):
            return "lost"
        except TimeoutError:
            self.amiss.append(f"no answer came to {act.do} at {act.at:.1f} s")
        except Exception as error:
            self.amiss.append(f"{act.do} at {act.at:.1f} s failed: {error!r}")
        return "failed"

    def _refused(self, act: UserAction, error: RequestError, told_before: int) -> str:
        """Whether there is a good reason; what is no picture is refused elsewhere."""
        if (reason := _passing(error)) is not None:
            self.limits.append((act.do, reason, told_before))
            return reason
        if act.do in ("cancel", "retry") and ENDED_ALREADY.search(str(error)):
            return "refused"
        self.amiss.append(f"{act.do} at {act.at:.1f} s was refused: {error.status} {error.fields}")
        return "failed"

    async def _create(self, act: UserAction) -> str:
        assert act.paper is not None
        document = await asyncio.to_thread(made, act.paper, self._marks)
        if act.paper.kind == "refused":
            return await self._be_refused(document)
        self.documents[document.sha256] = document
        self.ranges[document.sha256] = act.pages or ""
        created = await self._send(document, pages=act.pages, priority="batch" if act.batch else None)
        return "twice" if created.duplicate else "done"

    async def _be_refused(self, document: Document) -> str:
        try:
            created = await self.client.create(document.content)
        except RequestError as error:
            reason = _passing(error)
            if reason is None and list(error.fields) not in (["image_base64"], ["file"]):
                self.amiss.append(f"what is no picture was refused with {error.fields}")
            return reason or "refused"
        self.amiss.append(f"what is no picture was taken as {created.upload_id}")
        return "failed"

    async def _again(self, act: UserAction) -> str:
        """The same bytes once more."""
        if not self.documents:
            return "nothing there"
        document = _chosen(list(self.documents.values()), act.which)
        self.sent_again.add(document.sha256)
        return "twice" if (await self._send(document)).duplicate else "done"

    async def _send(self, document: Document, **wishes: Any) -> Created:
        created = await self.client.create(document.content, filename=f"{document.paper.name}", **wishes)
        self.acknowledged[created.upload_id] = document.sha256
        if created.instance.image_hash != document.sha256:
            self.amiss.append(f"{created.upload_id} is not of the bytes that were sent")
        return created

    async def _cancel(self, act: UserAction) -> str:
        return await self._change(self._known[-RECENT:], act.which, self.client.cancel)

    async def _retry(self, act: UserAction) -> str:
        ended = [key for key in self._known if key in self.client.uploads and self._has_ended(key)]
        wishes: dict[str, Any] = {} if act.pages is None else {"pages": act.pages}
        return await self._change(ended, act.which, lambda key: self.client.retry(key, **wishes))

    async def _rename(self, act: UserAction) -> str:
        name = _chosen(NAMES, act.which)
        return await self._change(self._known, act.which, lambda key: self.client.update(key, filename=name))

    async def _correct(self, act: UserAction) -> str:
        text = None if act.which < 0.3 else f"corrected {act.which}"
        return await self._change(
            self._known, act.which, lambda key: self.client.update(key, processed_text=text)
        )

    async def _delete(self, act: UserAction) -> str:
        if not self._known:
            return "nothing there"
        key = _chosen(self._known, act.which)
        self.to_delete.add(key)
        with suppress(NotFound):  # a second one may have been heard of the first time
            await self.client.delete(key)
        self.deleted.add(key)
        return "done"

    async def _list(self, act: UserAction) -> str:
        before = self._known
        there = {upload.id for upload in (await self.client.list()).uploads}
        if missing := set(before) - there - self.to_delete:
            self.amiss.append(f"the list at {act.at:.1f} s lacks {sorted(missing)[0]}")
        return "done"

    async def _drop(self, act: UserAction) -> str:
        """One of its clients loses the connection."""
        return "done" if _chosen(self.following, act.which).drop() else "nothing there"

    async def _change(self, keys: list[str], which: float, change: Callable[[str], Awaitable[Any]]) -> str:
        if not keys:
            return "nothing there"
        await change(_chosen(keys, which))
        return "done"

    @property
    def _known(self) -> list[str]:
        """Those that are certainly there, the newest last."""
        return [key for key in self.acknowledged if key not in self.to_delete]

    def _has_ended(self, key: str) -> bool:
        return self.client.uploads[key].is_terminal

    _DO: dict[str, Callable[[User, UserAction], Awaitable[str]]] = {
        "create": _create,
        "again": _again,
        "cancel": _cancel,
        "retry": _retry,
        "delete": _delete,
        "rename": _rename,
        "correct": _correct,
        "list": _list,
        "drop": _drop,
    }


def _passing(error: RequestError) -> str | None:
    """Why a request is refused that is right; None where it is wrong."""
    said = str(error)
    return next((reason for reason, words in PASSING.items() if words in said), None)


def _chosen(things: Sequence[T], which: float) -> T:
    return things[int(which * len(things))]
