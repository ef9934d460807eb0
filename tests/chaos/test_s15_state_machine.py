"""S15 - changes, disconnects and restarts in any order: every client's state finally equals the server's."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.chaos.proxy import Proxy
from tests.support.accounts import Account
from tests.support.event_recorder import (
    EventRecorder,
    assert_matches_server,
    current_cursor,
    recording,
    wait_until_all_read,
)
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server

EXPECTED_STATUS_CODES = (200, 404, 409)
EXAMPLES, STEPS = 5, 14


class Uploads(RuleBasedStateMachine):
    """One user: changes go over REST, and three clients record; two of them have an unreliable connection."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.ids: list[str] = []
        self.create_count = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    # ── initial state ──

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        self.account = Account.create(self.server)
        headers = {"Authorization": f"Bearer {self.account.mint()}"}
        self.http = await self.stack.enter_async_context(
            httpx.AsyncClient(base_url=self.server.http, headers=headers, timeout=60)
        )
        self.proxy = await self.stack.enter_async_context(Proxy(self.server.port))
        self.recorders: list[EventRecorder] = [
            await self.stack.enter_async_context(recording(self.account, port, stream))
            for port, stream in (
                (self.proxy.port, "pages"),
                (self.proxy.port, "delta"),
                (self.server.port, "full"),
            )
        ]

    # ── user actions ──

    @rule(pages=st.integers(1, 4))
    def create(self, pages: int) -> None:
        self.create_count += 1
        script = [
            {"lines": [f"{self.create_count}.{n}", "and on"], "line_seconds": 0.02} for n in range(pages)
        ]
        response = self.run(self.http.post("/api/uploads/", content=scripted_tiff(script)))
        assert response.status_code == 201, response.text
        self.ids.append(response.json()["instance"]["id"])

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), name=st.sampled_from(["a.tif", "b.tif", "ü.tif"]))
    def rename(self, data: st.DataObject, name: str) -> None:
        self._change(data, "PATCH", "/", json={"filename": name})

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), text=st.one_of(st.none(), st.text("abc\n😀", max_size=20)))
    def correct(self, data: st.DataObject, text: str | None) -> None:
        self._change(data, "PATCH", "/", json={"processed_text": text})

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), verb=st.sampled_from(["cancel", "retry"]))
    def cancel_or_retry(self, data: st.DataObject, verb: str) -> None:
        self._change(data, "POST", f"/{verb}")

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self._change(data, "DELETE", "/")

    # ── faults ──

    @rule()
    def cut(self) -> None:
        self.run(self._inject(self.proxy.cut))

    @rule(count=st.integers(1, 4000))
    def cut_later(self, count: int) -> None:
        self.run(self._inject(lambda: self.proxy.to_client.cut_after(count)))

    @rule()
    def blackhole(self) -> None:
        self.run(self._inject(self.proxy.to_client.blackhole))

    @rule()
    def heal(self) -> None:
        self.run(self._inject(self.proxy.heal))

    @rule(signal_number=st.sampled_from([signal.SIGTERM, signal.SIGKILL]))
    def restart(self, signal_number: signal.Signals) -> None:
        self.server.stop(signal_number)
        self.server.start()

    # ── final checks ──

    def teardown(self) -> None:
        try:
            self.run(self._assert_all_match_server())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    async def _assert_all_match_server(self) -> None:
        self.proxy.heal()
        self.proxy.cut()
        server_uploads = await wait_until_all_read(self.account)
        last_cursor = await current_cursor(self.account)
        for recorder in self.recorders:
            await recorder.wait_for_cursor(last_cursor)
            recorder.check_order()
            assert_matches_server(recorder, server_uploads)

    def _change(self, data: st.DataObject, method: str, path: str, **options: Any) -> None:
        upload_id = data.draw(st.sampled_from(self.ids))
        response = self.run(self.http.request(method, f"/api/uploads/{upload_id}{path}", **options))
        assert response.status_code in EXPECTED_STATUS_CODES, response.text

    async def _inject(self, fault: Callable[[], object]) -> None:
        """Inject a fault, and let the clients and the proxy notice it before the next step."""
        fault()
        await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_s15_state_of_every_client_equals_the_server_state(
    new_server: Callable[..., Server],
) -> None:
    Uploads.server = new_server()
    run_state_machine_as_test(
        Uploads,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
            print_blob=True,
        ),
    )
