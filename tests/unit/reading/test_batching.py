"""A page's first line goes out at once, later ones together, and none waits for one that may never come."""

import queue
from collections.abc import Sequence

import pytest

from backend_main.reading import Line, LinesRead, PageDone, PageStarted
from backend_main.reading.child_process.batching import ReplyBatcher
from backend_main.reading.child_process.ipc import (
    Failed,
    ReadFinished,
    Reply,
)

LONG, SOON, WAIT = 3600.0, 0.05, 10.0
STARTED = PageStarted(1, 2, 10, 20)
DONE = PageDone(1, 2, 10, 20, "", "", [], [])


class Sent(queue.SimpleQueue[Reply]):
    def now(self) -> list[Reply]:
        return [self.get_nowait() for _ in range(self.qsize())]


@pytest.fixture
def sent() -> Sent:
    return Sent()


def lines(*texts: str) -> list[Line]:
    return [Line(1, text, text) for text in texts]


def say(gathering: ReplyBatcher, *replies: Line | Reply) -> None:
    for reply in replies:
        gathering.send(reply)


def together(*texts: str) -> LinesRead:
    return LinesRead(tuple(lines(*texts)))


def test_the_start_and_the_first_line_go_out_at_once(sent: Sent) -> None:
    say(ReplyBatcher(sent.put, LONG), STARTED, *lines("a", "b", "c"))
    assert sent.now() == [STARTED, together("a")]


@pytest.mark.parametrize("last", [DONE, Failed("EngineFailed", "It failed."), ReadFinished()])
def test_whatever_comes_after_lines_comes_after_them(sent: Sent, last: Reply) -> None:
    say(ReplyBatcher(sent.put, LONG), STARTED, *lines("a", "b", "c"), last)
    assert sent.now() == [STARTED, together("a"), together("b", "c"), last]


def test_every_page_has_a_first_line(sent: Sent) -> None:
    say(ReplyBatcher(sent.put, LONG), STARTED, *lines("a"), DONE, STARTED, *lines("b"))
    assert sent.now() == [STARTED, together("a"), DONE, STARTED, together("b")]


def test_a_line_that_nothing_follows_does_not_wait_for_one(sent: Sent) -> None:
    say(ReplyBatcher(sent.put, SOON), STARTED, *lines("a", "b", "c"))
    assert [sent.get(timeout=WAIT) for _ in range(3)] == [STARTED, together("a"), together("b", "c")]


def test_after_a_rest_a_line_goes_out_at_once(sent: Sent) -> None:
    gathering = ReplyBatcher(sent.put, 0.0)
    for text in "abc":
        say(gathering, *lines(text))
        assert sent.now() == [together(text)]


def test_however_many_lines_come_the_time_says_how_often_they_go_out(sent: Sent) -> None:
    """No line is lost, none overtakes another, and at the end of the page nothing is left behind."""
    gathering = ReplyBatcher(sent.put, SOON)
    say(gathering, STARTED, *lines(*map(str, range(20_000))), DONE)
    replies: Sequence[Reply] = sent.now()
    assert (replies[0], replies[-1]) == (STARTED, DONE)
    groups = [reply.lines for reply in replies if isinstance(reply, LinesRead)]
    assert [line.text for group in groups for line in group] == list(map(str, range(20_000)))
    assert len(groups) < 2_000


def test_a_host_that_is_gone_is_no_reason_to_stop_keeping_time() -> None:
    """Its end is noticed by who listens to it; here, only that later lines still go out."""
    tried: queue.SimpleQueue[Line] = queue.SimpleQueue()

    def send(reply: Reply) -> None:
        assert isinstance(reply, LinesRead)
        for line in reply.lines:
            tried.put(line)
        if reply == together("b"):
            raise BrokenPipeError

    gathering = ReplyBatcher(send, SOON)
    for two in (lines("a", "b"), lines("c", "d")):
        say(gathering, *two)
        assert [tried.get(timeout=WAIT) for _ in two] == two
