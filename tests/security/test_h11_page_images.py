"""H11 - slow page images of one user delay nobody else, and a page that failed is not rendered again soon."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend_main import reading
from backend_main.core.errors import PageImageError, PageNotFound
from backend_main.core.uploads import page_images
from backend_main.core.uploads.page_images import MAX_RENDERS_PER_USER, PageImageRenderer
from backend_main.reading.documents import page_jpeg

SLOW_PAGE, BROKEN_PAGE, MISSING_PAGE, CANCELLED_PAGE = 1, 2, 3, 4


class Machine:
    """State that the fake processes share: the pages that they render, and the end of a slow page."""

    def __init__(self) -> None:
        self.rendered: list[tuple[str, int]] = []
        self.processes: set[object] = set()
        self.first_tries: list[str] = []
        self.first_try_ends = threading.Semaphore(0)
        self.slow_page_ends = threading.Event()

    def end_slow_pages(self) -> None:
        self.first_try_ends.release(100)
        self.slow_page_ends.set()

    def pages(self, number: int) -> int:
        return sum(page == number for _, page in self.rendered)


class FakeCache:
    def write(self, key: str, name: str, content: bytes) -> None:
        pass


class FakeProcess:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lock = threading.Lock()

    def stop(self) -> None:
        pass

    def render_page(
        self, path: Path, number: int, width: int, options: reading.Options, area: page_jpeg.Area
    ) -> bytes:
        assert self._lock.acquire(blocking=False), "a process has one caller at a time"
        try:
            self._machine.processes.add(self)
            self._machine.rendered.append((path.name, number))
            if number == SLOW_PAGE:
                if options.page_seconds < page_images.RENDER_TIMEOUT_SECONDS:
                    self._machine.first_tries.append(path.name)
                    self._machine.first_try_ends.acquire()
                else:
                    self._machine.slow_page_ends.wait()
                raise reading.EngineTimeout("Rendering the page took too long.")
            if number == BROKEN_PAGE:
                raise reading.UnreadableFile("The file is broken.")
            if number == MISSING_PAGE:
                raise reading.NoSuchPage("The file has no page 3.")
            if number == CANCELLED_PAGE:
                raise reading.Cancelled
            return b"jpeg"
        finally:
            self._lock.release()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine()
    monkeypatch.setattr(page_images, "_new_process", lambda: FakeProcess(machine))
    monkeypatch.setattr(page_images, "storage", FakeStorage())
    monkeypatch.setattr(page_images, "page_image_cache", FakeCache())
    yield machine
    machine.end_slow_pages()


class FakeStorage:
    """Storage that keeps no image."""

    def read_derived(self, key: str, name: str) -> None:
        return None

    def write_derived(self, key: str, name: str, content: bytes) -> None:
        pass

    def local_copy(self, key: str) -> Any:
        class Copy:
            def __enter__(self) -> Path:
                return Path(key)

            def __exit__(self, *_: object) -> None:
                pass

        return Copy()


async def wait_for(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def test_h11_slow_pages_of_one_user_leave_a_process_to_others(machine: Machine) -> None:
    renderer = PageImageRenderer()
    slow = [asyncio.create_task(renderer.page_image("ada", f"{n}", SLOW_PAGE, 200)) for n in range(6)]
    await wait_for(lambda: len(machine.rendered) == MAX_RENDERS_PER_USER)
    for number in range(5, 10):
        async with asyncio.timeout(30):
            assert await renderer.page_image("bob", "other", number, 200) == b"jpeg"
    assert machine.pages(SLOW_PAGE) == MAX_RENDERS_PER_USER
    machine.end_slow_pages()
    assert all(isinstance(end, PageImageError) for end in await asyncio.gather(*slow, return_exceptions=True))


async def test_h11_user_who_waits_less_used_time_is_next(machine: Machine) -> None:
    renderer = PageImageRenderer()
    users = ["ada", "ada", "eve", "ada", "bob"]
    tasks = []
    for at, user in enumerate(users):
        tasks.append(asyncio.create_task(renderer.page_image(user, f"{user}{at}", SLOW_PAGE, 200)))
        waiting = max(0, len(tasks) - page_images.MAX_RENDERS)
        await wait_for(lambda: len(machine.rendered) + waiting == len(tasks))  # noqa: B023 - used in this turn only
        await wait_for(lambda: waiting_calls(renderer) == waiting)  # noqa: B023 - used in this turn only
    machine.first_try_ends.release()
    await wait_for(lambda: len(machine.rendered) > page_images.MAX_RENDERS)
    assert machine.rendered[page_images.MAX_RENDERS] == ("bob4", SLOW_PAGE)
    machine.end_slow_pages()
    await asyncio.gather(*tasks, return_exceptions=True)


def waiting_calls(renderer: PageImageRenderer) -> int:
    turns = renderer._executor._turns[0]
    return sum(map(len, turns._waiting.values()))


async def test_h11_page_that_failed_is_not_rendered_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = PageImageRenderer()
    for width in (200, 200, 800):
        with pytest.raises(PageImageError, match=r"^The file is broken\.$"):
            await renderer.page_image("ada", "file", BROKEN_PAGE, width)
    assert machine.pages(BROKEN_PAGE) == 1
    monkeypatch.setattr(page_images, "FAILURE_SECONDS", 0.0)
    renderer = PageImageRenderer()
    for _ in range(2):
        with pytest.raises(PageImageError):
            await renderer.page_image("ada", "file", BROKEN_PAGE, 200)
    assert machine.pages(BROKEN_PAGE) == 3


async def test_h11_waiting_requests_for_a_slow_page_share_its_failure(machine: Machine) -> None:
    renderer = PageImageRenderer()
    requests = [asyncio.create_task(renderer.page_image("ada", "file", SLOW_PAGE, 200)) for _ in range(8)]
    await wait_for(lambda: len(machine.rendered) == MAX_RENDERS_PER_USER)
    machine.end_slow_pages()
    await asyncio.gather(*requests, return_exceptions=True)
    assert machine.pages(SLOW_PAGE) == MAX_RENDERS_PER_USER + 1, "the first tries, and one with all its time"


async def test_h11_slow_pages_of_many_users_leave_a_process_to_others(machine: Machine) -> None:
    renderer = PageImageRenderer()
    machine.first_try_ends.release(100)
    users = [f"user {at}" for at in range(2 * page_images.MAX_RENDERS)]
    slow = [asyncio.create_task(renderer.page_image(user, user, SLOW_PAGE, 200)) for user in users]
    await wait_for(lambda: machine.pages(SLOW_PAGE) == len(users) + page_images.MAX_SLOW_RENDERS)
    async with asyncio.timeout(30):
        assert await renderer.page_image("bob", "other", 5, 200) == b"jpeg"
    assert sorted(machine.first_tries) == users
    assert machine.pages(SLOW_PAGE) == len(users) + page_images.MAX_SLOW_RENDERS
    machine.end_slow_pages()
    assert all(isinstance(end, PageImageError) for end in await asyncio.gather(*slow, return_exceptions=True))


async def test_h11_user_of_a_slow_page_has_no_further_first_tries(machine: Machine) -> None:
    renderer = PageImageRenderer()
    machine.end_slow_pages()
    for key in ("a", "b"):
        with pytest.raises(PageImageError):
            await renderer.page_image("ada", key, SLOW_PAGE, 200)
    assert machine.first_tries == ["a"]


@pytest.mark.parametrize(
    ("number", "error"), [(MISSING_PAGE, PageNotFound), (CANCELLED_PAGE, PageImageError)]
)
async def test_h11_missing_page_or_end_of_the_server_is_no_failure(
    machine: Machine, number: int, error: type[Exception]
) -> None:
    renderer = PageImageRenderer()
    for _ in range(2):
        with pytest.raises(error):
            await renderer.page_image("ada", "file", number, 200)
    assert machine.pages(number) == 2


async def test_h11_few_failures_are_remembered(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_images, "MAX_FAILURES", 2)
    renderer = PageImageRenderer()
    for key in ("a", "b", "c", "c", "a"):
        with pytest.raises(PageImageError):
            await renderer.page_image("ada", key, BROKEN_PAGE, 200)
    assert [name for name, _ in machine.rendered] == ["a", "b", "c", "a"]


async def test_h11_disconnected_client_keeps_its_place_until_the_page_ends(machine: Machine) -> None:
    renderer = PageImageRenderer()
    for at in range(4):
        request = asyncio.create_task(renderer.page_image("ada", f"{at}", SLOW_PAGE, 200))
        if at < MAX_RENDERS_PER_USER:
            await wait_for(lambda: len(machine.rendered) > at)  # noqa: B023 - used in this turn only
        else:
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    assert machine.pages(SLOW_PAGE) == MAX_RENDERS_PER_USER
