"""Benchmark of fan-out: one message to many sockets, by scanrill, by the Channels tutorial and by Node.js.

All servers are measured in one run on loopback, in turn, round after round. The load client and the size of
the messages (1 KiB) are the same.

- Live text: a process publishes through Redis. No server uses a database.
- Durable events: a socket sends a request, the server writes a row, and sends the event to all sockets.

The scenarios are one user with 1, 100 and 500 sockets, and 500 users with one socket each. The first phase
measures events per second with 64 messages in flight. The second measures latency at a fixed rate that all
servers sustain. CPU is that of the server process, which has its own core. At the end, the memory of an idle
socket is measured.

    .venv/bin/python -m benchmarks.fan_out --write
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import fan_out_servers as servers
from benchmarks.fan_out_client import Progress
from benchmarks.fan_out_servers import Stack
from benchmarks.readme_tables import write

WINDOW = 64
COMMAND_TIMEOUT_SECONDS = 120
# A message counts as lost when no delivery has arrived for this time.
LOST_TIMEOUT_SECONDS = 2.0
GOAL_EVENTS, GOAL_P99, GOAL_CPU, GOAL_IDLE_KIB = 5, 0.1, 1.2, 30
QUIET_SECONDS, QUIET_SHARE, SETTLE_LIMIT_SECONDS = 0.1, 0.1, 20
IDLE_SOCKETS, IDLE_USERS, WARM_SOCKETS, SETTLE_SECONDS = 2_000, 500, 50, 2.0
Reply = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """Number of users and of sockets per user, and events per second at the fixed rate, live and durable.

    `max_messages` bounds the live messages at full speed.
    """

    name: str
    users: int
    sockets: int
    live_rate: float
    durable_rate: float
    max_messages: int

    @property
    def names(self) -> list[str]:
        """Return names that no other scenario uses, so that groups of the tutorial have no former members."""
        return [f"u{number}-of-{self.users}x{self.sockets}" for number in range(self.users)]

    def paths(self, stack: Stack) -> list[str]:
        return [stack.path(user) for user in self.names for _ in range(self.sockets)]


SCENARIOS = (
    Scenario("1 connection", 1, 1, 400, 50, 10_000),
    Scenario("100 connections", 1, 100, 20, 10, 4_000),
    Scenario("500 connections", 1, 500, 4, 4, 1_000),
    Scenario("500 users", 500, 1, 400, 50, 10_000),
)


@dataclass(frozen=True)
class Figures:
    """Figures of a server: CPU in µs per delivery, p50 and p99 in ms, `busy` the load client's CPU share."""

    events: float
    cpu_full: float
    p50: float
    p99: float
    cpu: float
    lost: float
    busy: float


class Worker:
    """Child process that carries out one command at a time. A command that takes too long kills it."""

    def __init__(self, module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        with servers.pinned(servers.OTHER_CORES):
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

    def call(self, **command: Any) -> Reply:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        watchdog = threading.Timer(COMMAND_TIMEOUT_SECONDS, self._process.kill)
        watchdog.start()
        try:
            stdin.write(json.dumps(command) + "\n")
            stdin.flush()
            answer: Reply = json.loads(stdout.readline() or "null")
        finally:
            watchdog.cancel()
        if answer is None:
            raise RuntimeError(f"{self._process.args!r} sent no reply")
        return answer

    def stop(self) -> None:
        servers.end(self._process)


Send = Callable[[float, float], Reply]
"""Function that sends for some seconds at a rate (0: full speed). It returns `sent` and `started_at` (ns)."""


class Bench:
    """A server, and the load client with the connections of a scenario."""

    def __init__(self, stack: Stack, scenario: Scenario, folder: Path) -> None:
        self.stack, self.scenario = stack, scenario
        path = folder / f"{type(stack).__name__}-{time.monotonic_ns()}.progress"
        self.progress = Progress(path)
        self.client = Worker("fan_out_client", path)
        self.publisher: Worker | None = None
        self._progress_path = path

    def connect(self, *, durable: bool) -> None:
        """Connect all sockets. For durable events they do not opt in, so each gets an event once."""
        connect(self.client, self.stack, self.scenario.paths(self.stack), opt_in=not durable)

    def start_publisher(self, rounds: int, seconds: float) -> Send:
        """Start a process that publishes live text; return the function that makes it send."""
        stack, fan = self.stack, self.scenario.sockets
        self.publisher = publisher = Worker(
            "fan_out_publisher", stack.publisher_kind, stack.redis_port, self._progress_path
        )
        max_messages = self.scenario.max_messages
        messages = rounds * (max_messages + math.ceil(seconds * self.scenario.live_rate))
        users = stack.publish_targets(self.scenario.names, messages)
        publisher.call(do="prepare", users=users)
        return lambda seconds, rate: publisher.call(
            do="run",
            users=users,
            fan=fan,
            seconds=seconds,
            rate=rate,
            window=WINDOW,
            max_messages=max_messages,
        )

    def request_sender(self) -> Send:
        """Return a function that causes durable events, by requests on the sockets in turn."""
        own = self.stack.requests(self.scenario.names)
        requests = [request for request in own for _ in range(self.scenario.sockets)]
        fan = self.scenario.sockets
        return lambda seconds, rate: self.client.call(
            do="send_requests", requests=requests, fan=fan, seconds=seconds, rate=rate, window=WINDOW
        )

    def round(self, send: Send, seconds: float, rate: float) -> Figures:
        events, cpu_full, lost, busy, _ = self._phase(send, seconds, 0)
        _, cpu, lost_too, _, report = self._phase(send, seconds, rate)
        return Figures(events, cpu_full, report["p50"], report["p99"], cpu, lost + lost_too, busy)

    def wait_until_idle(self) -> None:
        """Wait until the server is idle, except for its periodic work."""
        limit = time.monotonic() + SETTLE_LIMIT_SECONDS
        while time.monotonic() < limit:
            before = servers.cpu_seconds(self.stack.pid)
            time.sleep(QUIET_SECONDS)
            if servers.cpu_seconds(self.stack.pid) - before < QUIET_SECONDS * QUIET_SHARE:
                return

    def _phase(self, send: Send, seconds: float, rate: float) -> tuple[float, float, int, float, Reply]:
        self.wait_until_idle()
        self.client.call(do="reset")
        cpu, before = servers.cpu_seconds(self.stack.pid), self.progress.deliveries
        sent = send(seconds, rate)
        expected = before + sent["sent"] * self.scenario.sockets
        self._drain(expected)
        cpu = servers.cpu_seconds(self.stack.pid) - cpu
        delivered = self.progress.deliveries - before
        report = self.client.call(do="report")
        events = delivered / self.scenario.sockets / ((self.progress.last_at - sent["started_at"]) / 1e9)
        lost = expected - before - delivered
        return events, cpu / max(1, delivered) * 1e6, lost, report["busy"], report

    def _drain(self, expected: int) -> None:
        while self.progress.deliveries < expected:
            if time.monotonic_ns() - self.progress.last_at > LOST_TIMEOUT_SECONDS * 1e9:
                return
            time.sleep(0.005)

    def stop(self) -> None:
        for worker in (self.client, self.publisher):
            if worker is not None:
                worker.stop()


def connect(client: Worker, stack: Stack, paths: Sequence[str], *, opt_in: bool = True) -> None:
    hello, welcome = (stack.hello, stack.welcome) if opt_in else ("", "")
    client.call(do="connect", port=stack.port, paths=paths, hello=hello, welcome=welcome)


def compare(
    stacks: Sequence[Stack], scenario: Scenario, durable: bool, options: argparse.Namespace, folder: Path
) -> dict[str, Figures]:
    """Measure the servers in turn, round after round, and return their medians."""
    found: dict[str, list[Figures]] = {stack.name: [] for stack in stacks}
    with ExitStack() as running:
        benches = [Bench(stack, scenario, folder) for stack in stacks]
        sends = []
        for bench in benches:
            running.callback(bench.stop)
            bench.connect(durable=durable)
            sends.append(
                bench.request_sender() if durable else bench.start_publisher(options.rounds, options.seconds)
            )
        rate = scenario.durable_rate if durable else scenario.live_rate
        for _ in range(options.rounds):
            for bench, send in zip(benches, sends, strict=True):
                found[bench.stack.name].append(bench.round(send, options.seconds, rate))
    return {name: median_of_rounds(rounds) for name, rounds in found.items()}


def median_of_rounds(rounds: Sequence[Figures]) -> Figures:
    each = [asdict(figures) for figures in rounds]
    return Figures(**{name: statistics.median(one[name] for one in each) for name in each[0]})


@contextmanager
def started(kinds: Sequence[type[Stack]], redis_port: int, folder: Path) -> Iterator[list[Stack]]:
    with ExitStack() as running:
        stacks = []
        for kind in kinds:
            stack = kind(redis_port, folder)
            stack.start()
            running.callback(stack.stop)
            stacks.append(stack)
        yield stacks


def idle_kib(kind: type[Stack], redis_port: int, folder: Path) -> float:
    """Return the KiB per idle socket. The server is new and has already had some connections."""
    with started([kind], redis_port, folder) as [stack]:
        client = Worker("fan_out_client", folder / f"{kind.__name__}-idle.progress")
        try:
            paths = [stack.path(f"u{number % IDLE_USERS}") for number in range(IDLE_SOCKETS)]
            connect(client, stack, paths[:WARM_SOCKETS])
            client.call(do="disconnect")
            time.sleep(SETTLE_SECONDS)
            before = servers.rss_bytes(stack.pid)
            connect(client, stack, paths)
            time.sleep(SETTLE_SECONDS)
            return (servers.rss_bytes(stack.pid) - before) / 1024 / IDLE_SOCKETS
        finally:
            client.stop()


# ── the report ──

Results = dict[str, dict[str, Figures]]
TUTORIAL, NODE, SCANRILL = servers.TutorialOnDaphne.name, servers.NodeWs.name, servers.Scanrill.name


def table(results: Results) -> str:
    lines = [
        "| recipients | server | events/s | p50, ms | p99, ms | CPU, µs a delivery | at full speed |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for scenario, figures in results.items():
        lines += [row(scenario, name, one) for name, one in figures.items()]
    lost = [f"{s}, {n}: {f.lost:.0f}" for s, of in results.items() for n, f in of.items() if f.lost]
    busiest = max(f.busy for of in results.values() for f in of.values())
    return "\n".join(
        [
            *lines,
            "",
            f"Lost deliveries: {'; '.join(lost) or 'none'}. Load client: at most {busiest:.0%} busy.",
        ]
    )


def row(scenario: str, name: str, one: Figures) -> str:
    name = f"**{name}**" if name == SCANRILL else name
    return (
        f"| {scenario} | {name} | {one.events:,.0f} | {one.p50:.1f} | {one.p99:.1f} | "
        f"{one.cpu:.0f} | {one.cpu_full:.0f} |"
    )


def idle_table(idle: dict[str, float]) -> str:
    lines = ["| server | KiB for each idle connection |", "|---|---:|"]
    return "\n".join([*lines, *(f"| {name} | {kib:.0f} |" for name, kib in idle.items())])


def check_goals(live: Results, durable: Results, idle: dict[str, float]) -> str:
    lines = [
        f"- {kind}, {scenario}: {against_the_tutorial(figures)}."
        for kind, results in (("Live text", live), ("Durable events", durable))
        for scenario, figures in results.items()
    ]
    for scenario, figures in live.items():
        own, node = figures[SCANRILL], figures[NODE]
        lines.append(
            f"- CPU of live text, {scenario}: {own.cpu / node.cpu:.2f} × that of `ws`, "
            f"{own.cpu_full / node.cpu_full:.2f} × at full speed (goal {GOAL_CPU} at 500 connections)."
        )
    return "\n".join([*lines, f"- An idle connection: {idle[SCANRILL]:.0f} KiB (goal {GOAL_IDLE_KIB})."])


def against_the_tutorial(figures: dict[str, Figures]) -> str:
    own, tutorial = figures[SCANRILL], figures[TUTORIAL]
    return (
        f"{own.events / tutorial.events:.1f} × the events/s of the tutorial on Daphne (goal {GOAL_EVENTS}), "
        f"{own.p99 / tutorial.p99:.2f} × its p99 (goal {GOAL_P99})"
    )


def measure(options: argparse.Namespace) -> str:
    servers.install_node_packages()
    live: Results = {}
    durable: Results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with servers.redis_server(folder) as redis_port:
            with started(servers.LIVE, redis_port, folder) as stacks:
                for scenario in options.scenarios:
                    live[scenario.name] = compare(stacks, scenario, False, options, folder)
                kept = [stack for stack in stacks if type(stack) in servers.DURABLE]
                for scenario in options.scenarios:
                    durable[scenario.name] = compare(kept, scenario, True, options, folder)
            idle = {kind.name: idle_kib(kind, redis_port, folder) for kind in servers.LIVE}
    return "\n\n".join(
        [
            "Live text:",
            table(live),
            "Durable events:",
            table(durable),
            idle_table(idle),
            check_goals(live, durable, idle),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.5, help="duration of each measurement")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.scenarios = SCENARIOS
    load = os.getloadavg()[0]
    text = measure(options)
    arguments = f"--rounds {options.rounds} --seconds {options.seconds:g}"
    command = f".venv/bin/python -m benchmarks.fan_out {arguments} --write"
    head = f"`{command}`, medians, load average {load:.1f} before."
    print(f"{head}\n\n{text}")
    if options.write:
        write("fan_out", f"{head}\n\n{text}")


if __name__ == "__main__":
    main()
