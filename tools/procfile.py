"""Runner of a Procfile: it starts all commands and stops them when one ends, or at Ctrl-C or SIGTERM.

    python tools/procfile.py [FILE]        # default: deploy/Procfile

Each line is `name: command`. A shell runs the command in the environment of the runner, and its output gets
the name as a prefix. The exit code is 0 after a signal, and 1 if a command ended by itself.

honcho 2.0 does not fit. It sets PORT for each command (5000, 5100, …). It kills commands 5 seconds after the
first one ends, although a server may need 10. After SIGTERM it exits with 143.
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
    """Parse the text of a Procfile.

    Returns:
        The commands by name.

    Raises:
        ValueError: a line is not `name: command`, or repeats a name. The message has the line.
    """
    commands = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if (match := LINE.fullmatch(line)) is None or match[1] in commands:
            raise ValueError(f'Expected "name: command" with a new name, got: {line}')
        commands[match[1]] = match[2]
    return commands


async def run(commands: dict[str, str]) -> int:
    """Run the commands until one ends or a signal comes, and return the exit code."""
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    processes = {name: await _start(command) for name, command in commands.items()}
    width = max(map(len, commands))
    printing = [asyncio.create_task(_print(name.ljust(width), p)) for name, p in processes.items()]
    waiting = {asyncio.create_task(p.wait(), name=name) for name, p in processes.items()}
    signalled = asyncio.create_task(stop_requested.wait())
    ended, _ = await asyncio.wait({*waiting, signalled}, return_when=asyncio.FIRST_COMPLETED)
    for task in ended - {signalled}:
        print(f"{task.get_name()} exited with code {task.result()}", file=sys.stderr, flush=True)
    await _stop_all(list(processes.values()), waiting)
    await asyncio.gather(*printing)
    signalled.cancel()
    return 0 if signalled in ended else 1


async def _start(command: str) -> Process:
    # In a new session, so that Ctrl-C reaches only the runner, which then stops the commands.
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
    _, running = await asyncio.wait(waiting, timeout=STOP_TIMEOUT_SECONDS)
    for process in processes if running else []:
        with suppress(ProcessLookupError):
            process.kill()
    await asyncio.wait(waiting)


def main(arguments: list[str]) -> int:
    file = Path(arguments[0]) if arguments else DEFAULT_FILE
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return asyncio.run(run(parse(file.read_text())))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
