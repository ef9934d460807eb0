"""Benchmark of a server among strangers: 100 hostile clients beside 20 honest ones.

Two phases in one run: the honest clients alone, then beside clients of each kind of attack
(`hostile_attacks.py`). Hostile clients have other addresses and other users than honest ones, and all have
processes of their own. It measures what honest clients wait for, what they are refused, the memory of the
server, and the processor time of each side.

The settings are those of a server for untrusted users: two readers, ten seconds for a page, quotas, and
16 MiB for an upload. Another service signs the tokens, and does not answer during the attack.

    .venv/bin/python -m benchmarks.hostile --minutes 10 --mode embedded --write
    .venv/bin/python -m benchmarks.hostile --each --minutes 0.5
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.hostile_attacks import ATTACKS
from benchmarks.hostile_honest import CREATE, FIRST_TEXT, HANDSHAKE, IMAGE, LIST, OPERATIONS
from benchmarks.readme_tables import write
from tests.support import deployment_mode
from tests.support.accounts import Account
from tests.support.key_service import KeyService
from tests.support.server import Server

MIB = 1024 * 1024
HONEST, HOSTILE, HOSTILE_USERS, HOSTILE_ADDRESSES = 20, 100, 10, 20
HOSTILE_PROCESSES = 2
CLIENTS_OF_ONE_KIND = 8
MAX_UPLOAD_BYTES, MESSAGE_MEMORY_BYTES = 16 * MIB, 64 * MIB
# The formula of docs/pages/how-to/limits.md.
MEMORY_BUDGET = 3.25 * (MAX_UPLOAD_BYTES * 4 / 3 + MESSAGE_MEMORY_BYTES) + 144 * MIB
SAMPLE_INTERVAL_SECONDS = 0.2
# The engine processes start in it, and each honest client has a cycle.
WARM_UP_SECONDS = 12.0
COMPARED = (LIST, HANDSHAKE, CREATE, IMAGE)
MAX_RATIO, MAX_FIRST_TEXT_SECONDS = 2.0, 2.0
# Below this, twice the quiet time is less than one turn of the scheduler of a busy core.
MIN_COMPARED_SECONDS = 0.005
SETTINGS = {
    "MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
    "MESSAGE_MEMORY_BYTES": str(MESSAGE_MEMORY_BYTES),
    "MAX_PENDING_PER_USER": "20",
    "MAX_BYTES_PER_USER": str(256 * MIB),
    "MAX_UPLOADS_PER_USER": "5000",
    "READERS": "2",
    "READER_THREADS": "1",
    "PAGE_SECONDS": "10",
}


@dataclass
class Phase:
    """Result of a phase: seconds by operation, refusals, processor time by group, and attack rounds."""

    seconds: dict[str, list[float]]
    refused: list[str]
    cpu: dict[str, float]
    peak_bytes: int
    wall_seconds: float
    attacks: dict[str, Any] = field(default_factory=dict)

    def quantile(self, operation: str, share: float) -> float:
        ordered = sorted(self.seconds[operation])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class MemorySampler:
    """Sampler of the largest resident memory of a server process."""

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._process, self._ended = psutil.Process(pid), threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> "MemorySampler":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_INTERVAL_SECONDS):
            with suppress(psutil.NoSuchProcess):
                self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)


class Scene:
    """A server, its honest and hostile users, and the processes that act for them."""

    def __init__(self, directory: Path, engine: str) -> None:
        self._directory = directory
        self.keys = KeyService()
        settings = SETTINGS | {"ENGINE": engine, "JWT_ALGORITHM": "RS256", "JWT_JWKS_URL": self.keys.url}
        self.server = Server(directory / "data", **settings).start()
        self._echo = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.hostile_echo"], stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._echo.stdout is not None
        self._echo_port = int(self._echo.stdout.readline())
        self._honest = [self._client(f"127.0.0.{2 + number}") for number in range(HONEST)]
        self._hostile_tokens = [self._token() for _ in range(HOSTILE_USERS)]

    def close(self) -> None:
        self._echo.terminate()
        self._echo.communicate()
        self.server.stop(timeout=60)
        self.keys.close()

    def run_phase(self, seconds: float, kinds: list[str]) -> Phase:
        """Run the honest clients for this time, beside a hostile client for each of `kinds`."""
        self.keys.is_hanging = bool(kinds)
        with ExitStack() as stack:
            sampler = stack.enter_context(MemorySampler(self.server.process.pid))
            hostile = [
                stack.enter_context(self._attackers(kinds[n::HOSTILE_PROCESSES]))
                for n in range(HOSTILE_PROCESSES if kinds else 0)
            ]
            honest = stack.enter_context(
                self._process("hostile_honest", self._honest, f"{seconds:g}", str(self._echo_port))
            )
            began, readers = time.perf_counter(), self._server_cpu()
            output, _ = honest.communicate()
            wall = time.perf_counter() - began
            cpu = {"server": self._server_cpu() - readers, "hostile": sum(map(_cpu_of, hostile))}
            for process in hostile:
                process.send_signal(signal.SIGTERM)
            counts = [json.loads(process.communicate()[0] or b"{}") for process in hostile]
        result = json.loads(output)
        return Phase(result["seconds"], result["refused"], cpu, sampler.peak_bytes, wall, _merge(counts))

    def _attackers(self, kinds: list[str]) -> subprocess.Popen[bytes]:
        clients = []
        for number, kind in enumerate(kinds):
            client = self._client(
                f"127.0.1.{1 + number % HOSTILE_ADDRESSES}", self._hostile_tokens[number % HOSTILE_USERS]
            )
            clients.append(
                client | {"kind": kind, "unknown_key_token": self.keys.unknown_key_token("nobody")}
            )
        return self._process("hostile_attacks", clients, priority=10)

    def _process(
        self, module: str, clients: list[dict[str, Any]], *arguments: str, priority: int = 0
    ) -> subprocess.Popen[bytes]:
        with tempfile.NamedTemporaryFile("w", dir=self._directory, suffix=".json", delete=False) as file:
            json.dump(clients, file)
        command = [sys.executable, "-m", f"benchmarks.{module}", file.name, *arguments]
        return subprocess.Popen(["nice", "-n", str(priority), *command], stdout=subprocess.PIPE)

    def _client(self, address: str, token: str | None = None) -> dict[str, Any]:
        return {"port": self.server.port, "address": address, "token": token or self._token()}

    def _token(self) -> str:
        return self.keys.token(str(Account.create(self.server).id))

    def _server_cpu(self) -> float:
        roots = {self.server.process.pid, self.server.reader_process.pid}
        return sum(_tree_cpu(psutil.Process(pid)) for pid in roots)


def _tree_cpu(root: psutil.Process) -> float:
    """Return the CPU seconds of a process, of its children that have ended, and of those that run."""
    total = sum(root.cpu_times()[:4])
    for child in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(child.cpu_times()[:2])
    return total


def _cpu_of(process: subprocess.Popen[bytes]) -> float:
    with suppress(psutil.NoSuchProcess):
        return sum(psutil.Process(process.pid).cpu_times()[:2])
    return 0.0


def _merge(counts: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {"finished": Counter(), "refused": Counter(), "reasons": {}}
    for count in counts:
        merged["finished"].update(count.get("finished", {}))
        merged["refused"].update(count.get("refused", {}))
        merged["reasons"].update(count.get("reasons", {}))
    return merged


def ratio(quiet: Phase, hostile: Phase, operation: str) -> float:
    """Return the p99 beside hostile clients, divided by the quiet p99."""
    return hostile.quantile(operation, 0.99) / max(quiet.quantile(operation, 0.99), MIN_COMPARED_SECONDS)


def table(quiet: Phase, hostile: Phase) -> str:
    lines = [
        "| operation | quiet p50, ms | p99, ms | beside hostile p50, ms | p99, ms | p99 ÷ quiet |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in OPERATIONS:
        times = [1000 * phase.quantile(name, share) for phase in (quiet, hostile) for share in (0.5, 0.99)]
        lines.append(
            f"| {name} | {' | '.join(f'{each:.0f}' for each in times)} | {ratio(quiet, hostile, name):.1f} |"
        )
    return "\n".join([*lines, "", *_findings(quiet, hostile), "", *_attack_rows(hostile)])


def _findings(quiet: Phase, hostile: Phase) -> list[str]:
    missed = [name for name in COMPARED if ratio(quiet, hostile, name) > MAX_RATIO]
    first = hostile.quantile(FIRST_TEXT, 0.99)
    samples = sum(map(len, hostile.seconds.values()))
    return [
        f"- Goal: p99 ≤ {MAX_RATIO:g} × of quiet. Missed: {', '.join(missed) or 'none'}.",
        f"- First text, p99: {first:.1f} s (goal: {MAX_FIRST_TEXT_SECONDS:g} s).",
        f"- Refused to honest clients: {len(hostile.refused)} of {samples} (quiet: {len(quiet.refused)})."
        + "".join(f" {count} × {text}." for text, count in Counter(hostile.refused).most_common(3)),
        f"- Memory of the server process, peak: {hostile.peak_bytes / MIB:.0f} MiB (quiet: "
        f"{quiet.peak_bytes / MIB:.0f}; budget: {MEMORY_BUDGET / MIB:.0f}).",
        f"- Cores in use: server and readers {hostile.cpu['server'] / hostile.wall_seconds:.2f} (quiet: "
        f"{quiet.cpu['server'] / quiet.wall_seconds:.2f}), hostile clients "
        f"{hostile.cpu['hostile'] / hostile.wall_seconds:.2f}.",
    ]


def _attack_rows(hostile: Phase) -> list[str]:
    finished, refused = hostile.attacks["finished"], hostile.attacks["refused"]
    lines = ["| attack | rounds | refused | most often |", "|---|---:|---:|---|"]
    for kind in sorted({*finished, *refused}):
        reasons = hostile.attacks["reasons"].get(kind, [])
        reason = reasons[0][0].replace("|", " ") if reasons else ""
        lines.append(f"| {kind.replace('_', ' ')} | {finished[kind]} | {refused[kind]} | {reason} |")
    return lines


def rows_by_kind(quiet: Phase, phases: dict[str, Phase]) -> str:
    names = (*COMPARED, FIRST_TEXT)
    lines = [
        f"| p99 ÷ quiet: | {' | '.join(COMPARED)} | first text, p99, s | refused | peak, MiB |",
        f"|---|{'---:|' * (len(names) + 2)}",
    ]
    for kind, phase in phases.items():
        ratios = " | ".join(f"{ratio(quiet, phase, name):.1f}" for name in COMPARED)
        first, peak = phase.quantile(FIRST_TEXT, 0.99), phase.peak_bytes / MIB
        lines.append(
            f"| {kind.replace('_', ' ')} | {ratios} | {first:.1f} | {len(phase.refused)} | {peak:.0f} |"
        )
    return "\n".join(lines)


def measure(options: argparse.Namespace, directory: Path) -> str:
    scene = Scene(directory, options.engine)
    try:
        scene.run_phase(WARM_UP_SECONDS, [])
        quiet = scene.run_phase(60 * options.minutes * (2 if options.each else 1 / 3), [])
        if options.each:
            return rows_by_kind(quiet, dict(_phases_by_kind(scene, options)))
        count = options.clients or (CLIENTS_OF_ONE_KIND if options.only else HOSTILE)
        kinds = options.only or list(ATTACKS)
        phase = scene.run_phase(60 * options.minutes, [kinds[n % len(kinds)] for n in range(count)])
        return table(quiet, phase)
    finally:
        scene.close()


def _phases_by_kind(scene: Scene, options: argparse.Namespace) -> Iterator[tuple[str, Phase]]:
    # Jobs of slow pages remain, so these kinds are the last.
    for kind in sorted(options.only or ATTACKS, key=lambda kind: kind.startswith("slow")):
        phase = scene.run_phase(60 * options.minutes, [kind] * (options.clients or CLIENTS_OF_ONE_KIND))
        print(
            kind,
            {name: round(phase.quantile(name, 0.99), 3) for name in OPERATIONS},
            phase.refused[:2],
            phase.attacks,
            file=sys.stderr,
            flush=True,
        )
        yield kind, phase


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="of the attack; a third of it is quiet before"
    )
    parser.add_argument("--mode", choices=deployment_mode.MODES, default=deployment_mode.EMBEDDED)
    parser.add_argument("--engine", default="dummy")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, metavar="KIND", help="kinds of attack")
    parser.add_argument("--each", action="store_true", help="one kind after the other, for the time each")
    parser.add_argument("--clients", type=int, help="number of hostile clients")
    parser.add_argument("--write", action="store_true", help="write the result to README.md; not with --each")
    options = parser.parse_args()
    deployment_mode.selected_mode([f"--deployment={options.mode}"])
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="scanrill-hostile-") as name:
        text = measure(options, Path(name))
    command = f".venv/bin/python -m benchmarks.hostile {' '.join(sys.argv[1:])}".strip()
    loads = f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after"
    text = f"`{command}`, {loads}; {os.cpu_count()} cores.\n\n{text}"
    print(text)
    if options.write and not options.each:
        write(f"hostile_{options.mode}", text)


if __name__ == "__main__":
    main()
