"""REST, sockets and event streams agree: on the states of uploads, on errors, and on events.

Hypothesis makes programs: lists of requests, each by REST or by a socket. Two users run each program, the
second by the other transport at each step. Their results, states and events must be equal.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from backend_main.core.errors import UploadNotFound
from tests.support.accounts import Account
from tests.support.client_state import LIVE_FIELDS, ClientState, comparable
from tests.support.event_recorder import seq
from tests.support.event_stream_client import EventStreamClient, SubscribedClient
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.upload_transports import RestTransport, Result, SocketTransport, rest_of
from tests.support.websocket_client import TERMINAL, Message

EXAMPLES, EXAMPLES_SLOW = 4, 40
MAX_STEPS = 8
READABLE, FAILING, GATED, NO_IMAGE, EMPTY = range(5)
"""The files of a user. The reading of GATED ends when the program opens its gate."""
IMAGES = (READABLE, FAILING, GATED)
MISSING_ID = str(uuid.UUID(int=7))
# They tell two users, or two files of the same content, apart.
OWN_FIELDS = frozenset({"owner", "image_hash", "bytes", "created_at", "updated_at", "cursor", "next"})

READ_OPTIONS: list[Message] = [
    {},
    {"priority": "batch"},
    {"pages": "1"},
    {"furniture": "keep", "barcodes": True},
    {"priority": "soon"},
    {"pages": "3-1"},
    {"engine": "no-such-engine"},
    {"profile": "no-such-profile"},
    {"languages": ["?"]},
    {"formulas": "x", "furniture": "x"},
]
CREATIONS: list[Message] = [
    {"filename": "other.png", "metadata": {"of": "ü"}},
    {"metadata": []},
    {"color": "blue"},
]
DUPLICATES = ["existing", "reread", "error", "never"]
LISTS: list[Message] = [
    {},
    {"status": "processed"},
    {"status": ["error", "cancelled"], "sort": "-updated", "total": True},
    {"limit": 1, "sort": "created"},
    {"search": "readable"},
    {"engine": "dummy", "created_after": "2020-01-31T09:00:00Z"},
    {"image_hash": "0" * 64},
    {"min_confidence": 0.5},
    {"status": "read"},
    {"sort": "name"},
    {"limit": 0},
    {"limit": 10_001},
    {"cursor": "x"},
    {"search": "x" * 201},
    {"image_hash": "0"},
    {"created_before": "yesterday"},
    {"min_confidence": 2},
]
UPDATES: list[Message] = [
    {"filename": "new.png"},
    {"metadata": {"tags": ["a"], "n": None}},
    {"processed_text": "mine"},
    {"processed_text": None},
    {},
    {"filename": "a/b.png"},
    {"filename": None, "metadata": []},
    {"processed_text": 5},
    {"status": "processed", "raw_text": "forged"},
    {"filename": "new.png", "metadata": {"big": "x" * 16_384}},
]
INVALID_JSON = [
    '{"filename": ',
    '{"metadata": {"n": NaN}}',
    '{"metadata": {"n": 1, "n": 2}}',
    '{"filename": "\\ud800"}',
    '{"filename": "\\u0000"}',
    '{"metadata": {"n": 1e999}}',
    '{"metadata": ' + "[" * 40 + "]" * 40 + "}",
]


class Step(NamedTuple):
    """A request, or the opening of the gate. `image` is the file that it sends, or whose upload it is for."""

    verb: str
    image: int
    by_rest: bool
    fields: Any = None


def step(verb: str, fields: st.SearchStrategy[Any] | None = None, images: Any = IMAGES) -> Any:
    return st.builds(
        Step, st.just(verb), st.sampled_from(images), st.booleans(), st.none() if fields is None else fields
    )


CREATE_FIELDS = st.builds(
    lambda fields, on_duplicate: fields | {"on_duplicate": on_duplicate},
    st.sampled_from(READ_OPTIONS + CREATIONS),
    st.sampled_from(DUPLICATES),
)
REQUESTS = st.one_of(
    step("create", CREATE_FIELDS),
    step("create", st.just({}), (NO_IMAGE, EMPTY)),
    step("list", st.sampled_from(LISTS)),
    step("retrieve"),
    step("update", st.sampled_from(UPDATES)),
    step("update_with_text", st.sampled_from(INVALID_JSON)),
    step("cancel"),
    step("cancel", images=(GATED,)),
    step("retry", st.sampled_from(READ_OPTIONS)),
    step("retry", st.just({})),
    step("delete"),
    step("open"),
)
PROGRAMS = st.tuples(
    st.tuples(*(step("create", st.just({}), (image,)) for image in IMAGES)),
    st.lists(REQUESTS, min_size=MAX_STEPS, max_size=MAX_STEPS),
).map(lambda parts: [*parts[0], *parts[1]])


def every_request() -> list[Step]:
    """Return a program with each of the values above, by both transports in turn."""
    requests: list[tuple[str, int, Any]] = [("create", image, {}) for image in IMAGES]
    requests += [("update", READABLE, fields) for fields in UPDATES]
    requests += [("update_with_text", FAILING, text) for text in INVALID_JSON]
    requests += [("list", READABLE, fields) for fields in LISTS]
    requests += [("create", READABLE, {"on_duplicate": each}) for each in DUPLICATES]
    requests += [("create", NO_IMAGE, {}), ("create", EMPTY, {}), ("delete", READABLE, None)]
    requests += [("create", READABLE, fields) for fields in CREATIONS]
    requests += [("cancel", GATED, None), ("retry", READABLE, {"pages": "1"}), ("retry", FAILING, {})]
    requests += [("retry", GATED, fields) for fields in READ_OPTIONS]
    requests += [(verb, GATED, None) for verb in ("retrieve", "open", "cancel", "delete", "delete")]
    return [
        Step(verb, image, number % 2 == 0, fields) for number, (verb, image, fields) in enumerate(requests)
    ]


class Twin:
    """One of the two users who run a program: both transports, and one listener by each."""

    def __init__(
        self,
        account: Account,
        directory: Path,
        rest: RestTransport,
        requester: SubscribedClient,
        socket: SubscribedClient,
        stream: EventStreamClient,
    ) -> None:
        self._gate = directory / "open"
        self._files = {
            READABLE: scripted_png(lines=["# Title", "readable"]),
            FAILING: scripted_png(lines=["failing"], then="raise"),
            GATED: scripted_png(lines=["one", "two"], wait_for=str(self._gate), wait_after=1),
            NO_IMAGE: b"not an image",
            EMPTY: b"",
        }
        self._account = account
        self._rest, self._socket = rest, SocketTransport(requester)
        self.socket, self.stream = socket, stream
        self._ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {MISSING_ID: -1}
        self._state = ClientState()
        self._state.apply(stream.subscribed)

    async def run(self, program: list[Step], *, is_other: bool) -> list[Any]:
        """Run the program, its steps by the other transport if `is_other`; return all that it showed."""
        record: list[Any] = []
        for each in program:
            result = await self._run_step(each, by_rest=each.by_rest != is_other)
            record.append((each.verb, self._comparable(result)))
            record.append(self._comparable(await self._state_by_each_transport()))
        self.open_gate()
        record.append(self._comparable(await self._state_by_each_transport()))
        record.append(self._comparable(await self._events()))
        await self._check_missing_uploads()
        return record

    def open_gate(self) -> None:
        self._gate.touch()

    async def _run_step(self, step: Step, *, by_rest: bool) -> Result:
        transport = self._rest if by_rest else self._socket
        upload_id = self._ids.get(step.image, MISSING_ID)
        match step.verb:
            case "open":
                self.open_gate()
                return Result()
            case "create":
                return self._with_id(step.image, await transport.create(self._files[step.image], step.fields))
            case "list":
                return self._with_next(await transport.list(step.fields))
            case verb if step.fields is None:
                found: Result = await getattr(transport, verb)(upload_id)
            case verb:
                found = await getattr(transport, verb)(upload_id, step.fields)
        return found

    def _with_id(self, image: int, result: Result) -> Result:
        """Store the id of a new upload, and check the fields of the instance that differ between users."""
        if result.value:
            instance = result.value["instance"]
            file = self._files[image]
            assert instance["image_hash"] == hashlib.sha256(file).hexdigest()
            assert (instance["bytes"], instance["owner"]) == (len(file), self._account.name)
            self._ids[image] = instance["id"]
            self._numbers.setdefault(instance["id"], len(self._numbers))
        return result

    def _with_next(self, result: Result) -> Result:
        """Say in place of the cursor, which has times and ids, whether there are more uploads."""
        if result.value:
            return result._replace(value=result.value | {"has_next": result.value["next"] is not None})
        return result

    async def _state_by_each_transport(self) -> dict[str, Any]:
        """Wait until nothing moves; return the uploads, which are the same by every transport."""
        await self._wait_until_still()
        listed = await self._rest.list({})
        assert listed.value is not None
        assert self._comparable(await self._socket.list({})) == self._comparable(listed)
        assert comparable(listed.value["list"]) == self._state.comparable()
        found = {}
        for upload_id in self._numbers:
            by_rest, by_socket = await self._rest.retrieve(upload_id), await self._socket.retrieve(upload_id)
            number = str(self._numbers[upload_id])
            found[number] = self._comparable(by_rest)
            assert self._comparable(by_socket) == found[number]
        return found

    async def _check_missing_uploads(self) -> None:
        """Event streams and sockets of uploads that do not exist are refused as a request is."""
        for upload_id in self._numbers.keys() - self._state.uploads.keys():
            refusal = await self._rest.retrieve(upload_id)
            assert refusal == await self._rest.refused_event_stream(upload_id)
            async with self._account.client(upload_id) as client:
                assert await client.close_code() == UploadNotFound.close_code
            assert refusal.code == UploadNotFound.code

    async def _wait_until_still(self) -> None:
        cursor = await self._last_cursor()
        while self._state.seq < seq(cursor) or not all(map(self._is_still, self._state.uploads.values())):
            self._state.apply(await self.stream.receive())

    def _is_still(self, instance: Message) -> bool:
        if instance["id"] == self._ids.get(GATED) and not self._gate.exists():
            return instance["status"] in ("processing", *TERMINAL)
        return instance["status"] in TERMINAL

    async def _last_cursor(self) -> str:
        return str((await self.stream.request({"type": "subscribe", "stream": "pages"}))["cursor"])

    async def _events(self) -> list[Message]:
        """Return all events, which the event stream and the socket sent alike."""
        cursor = await self._last_cursor()
        for each in (self.stream, self.socket):
            await each.received(lambda m: m.get("cursor") == cursor)
        by_stream, by_socket = (
            [m for m in each.seen if "cursor" in m and m["type"] != "subscribed"]
            for each in (self.stream, self.socket)
        )
        assert by_stream == by_socket
        return by_stream

    def _comparable(self, value: Any) -> Any:
        """Return the value with numbers for ids, and without what differs between users or between runs."""
        if isinstance(value, Result):
            return tuple(map(self._comparable, value))
        if isinstance(value, dict):
            # Only a reading that has ended by itself has made the same progress.
            is_ended = value.get("status") not in ("pending", "processing", "cancelled")
            excluded = OWN_FIELDS if is_ended else OWN_FIELDS.union(LIVE_FIELDS)
            return {name: self._comparable(item) for name, item in value.items() if name not in excluded}
        if isinstance(value, list):
            return [self._comparable(item) for item in value]
        if isinstance(value, str):
            for upload_id, number in self._numbers.items():
                value = value.replace(upload_id, f"upload {number}")
        return value


@asynccontextmanager
async def twin_of(server: Server, directory: Path) -> AsyncIterator[Twin]:
    """Connect a new user; the gate is open at the end, because tests share the reader."""
    directory.mkdir()
    account = Account.create(server)
    async with (
        rest_of(account) as http,
        SubscribedClient(account, None, "pages") as requester,
        SubscribedClient(account, None, "pages") as socket,
        EventStreamClient(account, stream="pages") as stream,
    ):
        twin = Twin(account, directory, RestTransport(http), requester, socket, stream)
        try:
            yield twin
        finally:
            twin.open_gate()


def check_programs(server: Server, directory: Path, examples: int) -> None:
    """Run programs as two users, one after the other: the gated page of one occupies a reader."""
    names = (directory / f"{number:04}" for number in itertools.count())

    async def run(program: list[Step], *, is_other: bool) -> list[Any]:
        async with twin_of(server, next(names)) as twin:
            return await twin.run(program, is_other=is_other)

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(program=PROGRAMS)
    @example(program=every_request())
    def check(program: list[Step]) -> None:
        one = asyncio.run(run(program, is_other=False))
        other = asyncio.run(run(program, is_other=True))
        for of_one, of_other in zip(one, other, strict=True):
            assert of_one == of_other

    check()


@pytest.mark.timeout(300)
def test_agreement_of_rest_sockets_and_event_streams(two_reader_server: Server, tmp_path: Path) -> None:
    check_programs(two_reader_server, tmp_path, EXAMPLES)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_agreement_of_rest_sockets_and_event_streams_in_many_programs(
    two_reader_server: Server, tmp_path: Path
) -> None:
    check_programs(two_reader_server, tmp_path, EXAMPLES_SLOW)
