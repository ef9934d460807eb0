"""Runs what a Procfile lists, on this machine, until Ctrl-C or until one of them ends.

    python tools/procfile.py [FILE]        # deploy/Procfile, if none is named

Each line is `name: command`, run by a shell with the environment of this one; what it prints comes with its
name before it. When one ends, the others are ended too, and the exit code is 1 unless a signal ended all.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path

DEFAULT_FILE = Path(__file__).parents[1] / "deploy" / "Procfile"
STOP_TIMEOUT_SECONDS = 15
LINE = re.compile(r"([\w-]+):\s*(\S.*)")


def parse(text: str) -> dict[str, str]:
    """Names and commands. Raises ValueError, naming the line."""
    commands = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if (match := LINE.fullmatch(line)) is None or match[1] in commands:
            raise ValueError(f"no line of a Procfile, or the second of its name: {line}")
        commands[match[1]] = match[2]
    return commands


async def run(commands: dict[str, str]) -> int:
    """The exit code: 0 where a signal ended all."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    processes = {name: await _start(command) for name, command in commands.items()}
    width = max(map(len, commands))
    printing = [asyncio.create_task(_print(name.ljust(width), p)) for name, p in processes.items()]
    waiting = {asyncio.create_task(p.wait(), name=name) for name, p in processes.items()}
    signalled = asyncio.create_task(told.wait())
    ended, _ = await asyncio.wait({*waiting, signalled}, return_when=asyncio.FIRST_COMPLETED)
    for task in ended - {signalled}:
        print(f"{task.get_name()} ended with {task.result()}", file=sys.stderr, flush=True)
    await _stop_all(list(processes.values()), waiting)
    await asyncio.gather(*printing)
    signalled.cancel()
    return 0 if signalled in ended else 1


async def _start(command: str) -> Process:
    # In a session of its own: Ctrl-C is for this process, which ends the others in order.
    return await asyncio.create_subprocess_shell(
        f"exec {command}", stdout=PIPE, stderr=STDOUT, start_new_session=True
    )


async def _print(name: str, process: Process) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        print(f"{name} | {line.decode(errors='replace').rstrip()}", flush=True)


async def _stop_all(processes: list[Process], waiting: set[asyncio.Task[int]]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            process.terminate()
    _, late = await asyncio.wait(waiting, timeout=STOP_TIMEOUT_SECONDS)
    for process in processes if late else []:
        with suppress(ProcessLookupError):
            process.kill()
    await asyncio.wait(waiting)


def main(arguments: list[str]) -> int:
    file = Path(arguments[0]) if arguments else DEFAULT_FILE
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return asyncio.run(run(parse(file.read_text())))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
