"""Benchmark of an installation: a new virtual environment, the wheel by pip, and the first page.

It runs once with packages from pip's cache and once with a download, which depends on the network. `scanrill
read` reads a rendered page, without a server and with an engine that is not loaded yet.

    .venv/bin/python -m benchmarks.install --write
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.readme_tables import write
from tests.support.page_images import lines_of_text, page_png

ROOT = Path(__file__).parents[1]
LINES = 20
STEPS = ("empty environment", "`pip install`", "`scanrill read`, first text", "`scanrill read`, full text")
WAYS = {"from pip's cache": (), "downloaded": ("--no-cache-dir",)}


def measure_once(wheel: Path, options: tuple[str, ...], folder: Path) -> list[float]:
    """Return the seconds of each step; the last two count from the start of `scanrill read`."""
    environment, page = folder / "venv", folder / "page.png"
    page.write_bytes(page_png(lines_of_text(LINES)))
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", *options, wheel]
    return [
        time_command([sys.executable, "-m", "venv", environment]),
        time_command(pip),
        *time_reading([environment / "bin" / "scanrill", "read", page]),
    ]


def time_command(command: list[object]) -> float:
    began = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def time_reading(command: list[object]) -> tuple[float, float]:
    began = time.perf_counter()
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1), "the command printed no text"
        first = time.perf_counter() - began
        process.stdout.read()
    assert process.returncode == 0
    return first, time.perf_counter() - began


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    command = [sys.executable, "-m", "venv", folder / "pip"]
    time_command(command)
    pip = folder / "pip" / "bin" / "python"
    time_command([pip, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT])
    [wheel] = folder.glob("*.whl")
    return wheel


def measure(repeat: int) -> dict[str, list[float]]:
    """Return the medians of all runs but the first, which fills the cache."""
    runs: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="scanrill-install-") as directory:
        wheel = build_wheel(Path(directory))
        for number in range(repeat + 1):
            for way, options in WAYS.items():
                if number or not options:
                    with tempfile.TemporaryDirectory(dir=directory) as folder:
                        took = measure_once(wheel, options, Path(folder))
                    runs[way] += [took] if number else []
                    print(number, way, [round(s, 1) for s in took], file=sys.stderr)
    return {way: [statistics.median(step) for step in zip(*all_, strict=True)] for way, all_ in runs.items()}


def table(medians: dict[str, list[float]]) -> str:
    lines = [f"| packages | {' | '.join(f'{step}, s' for step in STEPS)} |", f"|---|{'---:|' * len(STEPS)}"]
    lines += [f"| {way} | {' | '.join(f'{s:.1f}' for s in steps)} |" for way, steps in medians.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    command = f".venv/bin/python -m benchmarks.install --repeat {options.repeat} --write"
    text = f"`{command}`, medians, load average {load:.1f} before.\n\n{table(measure(options.repeat))}"
    print(text)
    if options.write:
        write("install", text)


if __name__ == "__main__":
    main()
