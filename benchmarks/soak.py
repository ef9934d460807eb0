"""Soak test: many users and injected faults for half an hour, then a check of invariants.

Users create, cancel, retry and delete uploads, and lose their connections. Meanwhile readers, workers and
server processes are killed, stopped and frozen; their services are disconnected, restarted and emptied. A
seed determines the whole plan (`tests/chaos/soak/plan.py`). At the end, `tests/chaos/soak/invariants.py`
compares the databases, files and clients.

The exit code is 1 if an invariant is violated; the first violations are printed. It is also 1 if the memory
of a process that lived through the last two thirds grows.

    .venv/bin/python -m benchmarks.soak --minutes 30 --users 200 --seed 1 --mode scaled --write
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.readme_tables import write
from tests.chaos.soak.memory_trend import TOLERATED_BYTES, TOLERATED_SHARE, ProcessMemory
from tests.chaos.soak.plan import FAULTS_BY_MODE, draw
from tests.chaos.soak.run import Result, run_soak

MAX_SHOWN = 20
MIB = 1024**2


def report(command: str, load: float, result: Result) -> str:
    plan, lines = result.plan, []
    lines += [f"`{command}`, plan {plan.digest}, load average {load:.1f} before; {os.cpu_count()} cores."]
    lines += [f"{len(plan.users)} users for {plan.seconds / 60:g} minutes; {result.description}.", ""]
    lines += list(_user_actions(result))
    lines += ["", f"Faults, {result.injected.total()}: {_format_counts(result.injected)}.", ""]
    lines += list(_final_state(result))
    lines += ["", *_memory_rows(result.processes)]
    return "\n".join(lines)


def _user_actions(result: Result) -> Iterator[str]:
    outcomes = sorted({outcome for _, outcome in result.outcomes})
    yield f"| user action | planned | {' | '.join(outcomes)} |"
    yield f"|---|---:|{'---:|' * len(outcomes)}"
    for do, planned in sorted(result.plan.action_counts().items()):
        counts = " | ".join(str(result.outcomes[do, outcome] or "") for outcome in outcomes)
        yield f"| {do} | {planned} | {counts} |"


def _final_state(result: Result) -> Iterator[str]:
    found = result.state
    uploads, pages = f"{len(found.uploads)} at the end", sum(map(len, found.pages.values()))
    events = sum(map(len, found.log.values()))
    yield f"- Uploads: {uploads}, {_format_counts(result.statuses)}; pages: {pages}; files: {result.files}."
    delivered = f"{result.events_received} delivered to clients; {result.partials} partials"
    yield f"- Events: {events} in the log, {delivered}."
    claims, files, incoming, *_ = result.sweep_counts
    removed = f"{files} files, {incoming} incomplete files, {claims} claims"
    yield f"- Left over and removed by maintenance: {removed}."
    if result.violations:
        yield f"- **{len(result.violations)} invariants are violated.**"
    else:
        late = result.seconds - result.plan.seconds
        yield f"- All invariants hold, {late:.0f} seconds after the last planned action."


def _memory_rows(weights: list[ProcessMemory]) -> Iterator[str]:
    yield "| process | starts | MiB, middle third | last third | × | max |"
    yield "|---|---:|---:|---:|---:|---:|"
    for weight in weights:
        yield f"| {weight.name} | {weight.starts} | {_thirds(weight)} | {weight.max_bytes / MIB:.0f} |"
    tolerated = f"{TOLERATED_SHARE:.0%} or {TOLERATED_BYTES / MIB:.0f} MiB"
    yield ""
    judged = [weight for weight in weights if weight.last_third is not None]
    growing = [weight.name for weight in judged if not weight.is_flat]
    verdict = f"**not flat: {', '.join(growing)}**" if growing else "all flat"
    yield f"Survivors of both thirds: {len(judged)} (flat: at most {tolerated} more): {verdict}."


def _thirds(weight: ProcessMemory) -> str:
    if weight.middle_third is None or weight.last_third is None:
        return " |  | "
    growth = weight.last_third / weight.middle_third
    return f"{weight.middle_third / MIB:.0f} | {weight.last_third / MIB:.0f} | {growth:.2f}"


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _command(options: argparse.Namespace) -> str:
    """Return the command that repeats the plan."""
    haste = "" if options.haste == 1 else f" --haste {options.haste:g}"
    size = f"--minutes {options.minutes:g} --users {options.users}"
    plan = f"--seed {options.seed} --mode {options.mode}{haste}"
    return f".venv/bin/python -m benchmarks.soak {size} {plan}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=list(FAULTS_BY_MODE), default="embedded")
    parser.add_argument("--haste", type=float, default=1, help="factor for the rate of actions and faults")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="directory in which data and logs stay")
    parser.add_argument("--write", action="store_true", help="write the result to README.md")
    options = parser.parse_args()
    plan = draw(
        options.seed,
        seconds=60 * options.minutes,
        users=options.users,
        mode=options.mode,
        speedup=options.haste,
    )
    print(f"seed {plan.seed}, plan {plan.digest}: {len(plan.faults)} faults", flush=True)
    # SIGTERM raises KeyboardInterrupt, so that all child processes are stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="scanrill-soak-") as temporary:
        if options.keep is not None:
            options.keep.mkdir(parents=True)
        result = asyncio.run(run_soak(plan, options.keep or Path(temporary)))
    text = report(_command(options), load, result)
    print(text)
    for difference in result.violations[:MAX_SHOWN]:
        print(f"  {difference}")
    if options.write:
        write(f"soak_{options.mode}", text)
    return 1 if result.violations or result.growing else 0


if __name__ == "__main__":
    sys.exit(main())
