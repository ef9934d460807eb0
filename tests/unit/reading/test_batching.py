"""Tests of the batches of lines: the first line of a page goes at once, and none waits too long."""

import queue
from collections.abc import Sequence

import pytest

from backend_main.reading import Line, LinesRead, PageDone, PageStarted, Word
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


def send_all(batcher: ReplyBatcher, *replies: Line | Reply) -> None:
    for reply in replies:
        batcher.send(reply)


def batch(*texts: str) -> LinesRead:
    return LinesRead(tuple(lines(*texts)))


def test_batcher_sends_start_and_first_line_at_once(sent: Sent) -> None:
    send_all(ReplyBatcher(sent.put, LONG), STARTED, *lines("a", "b", "c"))
    assert sent.now() == [STARTED, batch("a")]


@pytest.mark.parametrize("last", [DONE, Failed("EngineFailed", "It failed."), ReadFinished()])
def test_batcher_sends_held_lines_before_the_next_reply(sent: Sent, last: Reply) -> None:
    send_all(ReplyBatcher(sent.put, LONG), STARTED, *lines("a", "b", "c"), last)
    assert sent.now() == [STARTED, batch("a"), batch("b", "c"), last]


def test_batcher_sends_the_first_line_of_each_page_at_once(sent: Sent) -> None:
    send_all(ReplyBatcher(sent.put, LONG), STARTED, *lines("a"), DONE, STARTED, *lines("b"))
    assert sent.now() == [STARTED, batch("a"), DONE, STARTED, batch("b")]


def test_batcher_sends_lines_that_no_reply_follows(sent: Sent) -> None:
    send_all(ReplyBatcher(sent.put, SOON), STARTED, *lines("a", "b", "c"))
    assert [sent.get(timeout=WAIT) for _ in range(3)] == [STARTED, batch("a"), batch("b", "c")]


def test_batcher_sends_a_line_at_once_after_a_pause(sent: Sent) -> None:
    batcher = ReplyBatcher(sent.put, 0.0)
    for text in "abc":
        send_all(batcher, *lines(text))
        assert sent.now() == [batch(text)]


def test_batcher_limits_the_number_of_batches(sent: Sent) -> None:
    """No line is lost or out of order, and none remains at the end of the page."""
    batcher = ReplyBatcher(sent.put, SOON)
    send_all(batcher, STARTED, *lines(*map(str, range(20_000))), DONE)
    replies: Sequence[Reply] = sent.now()
    assert (replies[0], replies[-1]) == (STARTED, DONE)
    groups = [reply.lines for reply in replies if isinstance(reply, LinesRead)]
    assert [line.text for group in groups for line in group] == list(map(str, range(20_000)))
    assert len(groups) < 2_000


def test_batcher_continues_after_a_send_error() -> None:
    """Another thread notices that the parent has exited; the batcher still sends later lines."""
    tried: queue.SimpleQueue[Line] = queue.SimpleQueue()

    def send(reply: Reply) -> None:
        assert isinstance(reply, LinesRead)
        for line in reply.lines:
            tried.put(line)
        if reply == batch("b"):
            raise BrokenPipeError

    batcher = ReplyBatcher(send, SOON)
    for two in (lines("a", "b"), lines("c", "d")):
        send_all(batcher, *two)
        assert [tried.get(timeout=WAIT) for _ in two] == two


def test_batcher_leaves_the_words_of_lines_to_the_finished_page(sent: Sent) -> None:
    line = Line(1, "a", "a", words=(Word("a", None, None, 0),))
    send_all(ReplyBatcher(sent.put, LONG), STARTED, line)
    assert sent.now() == [STARTED, batch("a")]
