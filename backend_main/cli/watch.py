"""Command `watch`: reads the files of a folder as they arrive, in this process or on a server."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backend_main.core.errors import CommandError

from .messages import print_message
from .watched_folder import SETTLE_SECONDS, WatchedFolder, create_folder

if TYPE_CHECKING:
    from .watch_readers import FileReader

# Network folders report no changes of other machines, so the folder is listed this often too.
LIST_INTERVAL_SECONDS = 2.0
RETRY_INTERVAL_SECONDS = 10.0


def watch(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder to watch; its subfolders are not read.", exists=True, file_okay=False),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results. Default: beside the files that were read."),
    ] = None,
    format: Annotated[str, typer.Option(help="Formats of the results, such as md,pdf.")] = "md",
    done: Annotated[
        Path | None, typer.Option(help="Folder for files that were read. Default: FOLDER/done.")
    ] = None,
    failed: Annotated[
        Path | None,
        typer.Option(help="Folder for files that cannot be read, with their errors. Default: FOLDER/failed."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="OCR engine. Default: rapid, or that of the server.")
    ] = None,
    languages: Annotated[
        str, typer.Option(help="Languages of the text, such as de,en. Default: those of the engine.")
    ] = "",
    profile: Annotated[str, typer.Option(help="Profile of the engine. Default: the engine's first.")] = "",
    server: Annotated[
        str | None, typer.Option(help="URL of a server that reads the files. Default: this process reads.")
    ] = None,
    api_key: Annotated[
        str,
        typer.Option(
            envvar="SCANRILL_API_KEY", show_envvar=False, help="Key for --server; or set SCANRILL_API_KEY."
        ),
    ] = "",
    settle: Annotated[
        float,
        typer.Option(min=0, max=3600, help="Seconds without a change after which a file is whole."),
    ] = SETTLE_SECONDS,
) -> None:
    """Read the files of a folder as they arrive, until Ctrl-C.

    Files that were read move to a folder of their own. After a kill, start the command again: it continues.
    """
    formats = _formats(format)
    done = done or folder / "done"
    out = out or done
    if out.resolve() == folder.resolve():
        raise typer.BadParameter("The results must be in another folder.", param_hint="--out")
    reader = _reader(engine, languages, profile, server, api_key)
    watched = WatchedFolder(folder, done=done, failed=failed or folder / "failed", settle_seconds=settle)
    create_folder(out)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print_message(f"Watching {folder}. Press Ctrl-C to stop.")
    # SIGTERM and Ctrl-C are the usual end. A file that is read at that time is read after the next start.
    with suppress(KeyboardInterrupt):
        run(watched, reader, formats, out, changes=_changes(folder))


def run(
    watched: WatchedFolder, reader: FileReader, formats: list[str], out: Path, *, changes: Iterator[object]
) -> None:
    """Read the interrupted files, then the new ones after each change, until `changes` ends."""
    waiting = watched.interrupted_files()
    for _ in changes:
        waiting += watched.whole_files(time.monotonic())
        waiting = [path for path in waiting if not read_file(path, watched, reader, formats, out)]


def read_file(path: Path, watched: WatchedFolder, reader: FileReader, formats: list[str], out: Path) -> bool:
    """Read a file, write its results, and move it. Return False if it has to be read later."""
    from .watch_readers import FileFailed, Postponed
    from .watched_folder import signature

    before = signature(path)
    try:
        results = reader.read(path, formats, out)
    except FileFailed as error:
        if signature(path) != before:
            return False
        print_message(f"{watched.fail(path, str(error))}: {error}")
        return True
    except Postponed as error:
        print_message(f"{path.name}: {error} It is tried again in {RETRY_INTERVAL_SECONDS:g} seconds.")
        time.sleep(RETRY_INTERVAL_SECONDS)
        return False
    if signature(path) != before:  # a program went on writing after a pause
        return False
    watched.finish(path)
    print_message(f"{path.name}: {', '.join(str(result) for result in results)}")
    return True


def _formats(names: str) -> list[str]:
    from backend_main.core.exports.formats import FORMATS

    formats = [name.strip() for name in names.split(",") if name.strip()]
    if not formats or not set(formats) <= FORMATS.keys():
        raise typer.BadParameter(f"Choose some of {', '.join(FORMATS)}.", param_hint="--format")
    return list(dict.fromkeys(formats))


def _reader(engine: str | None, languages: str, profile: str, server: str | None, api_key: str) -> FileReader:
    from backend_main.reading import Options

    from .read_output import configured_engine
    from .watch_readers import LocalReader, ServerReader

    codes = tuple(word.strip() for word in languages.split(",") if word.strip())
    if server is None:
        options = Options(engine=engine or "rapid", languages=codes, profile=profile)
        return LocalReader(configured_engine(options), options)
    if not api_key:
        raise typer.BadParameter("A server needs a key.", param_hint="--api-key")
    return ServerReader(server, api_key, Options(engine=engine or "", languages=codes, profile=profile))


def _changes(folder: Path) -> Iterator[object]:
    """Yield at once, after each change of the folder, and after `LIST_INTERVAL_SECONDS` without one."""
    from watchfiles import watch as watch_files

    yield set()
    timeout_ms = int(LIST_INTERVAL_SECONDS * 1000)
    try:
        yield from watch_files(
            folder,
            watch_filter=None,
            recursive=False,
            debounce=200,
            rust_timeout=timeout_ms,
            yield_on_timeout=True,
        )
    except OSError as error:
        raise CommandError(f"Cannot watch {folder}: {error}.") from None
