"""Command `sweep`: the maintenance of the server, on demand."""

from __future__ import annotations

from .data_dir import DataDir, locked, set_up


def sweep(data_dir: DataDir = None) -> None:
    """Recover jobs of crashed readers, and remove files without an upload.

    The server may run meanwhile. It also does this by itself every few seconds.
    """
    conf = set_up(data_dir)
    from backend_main.core import maintenance

    try:
        with locked(conf.data_dir / "serve.lock", wait=False):
            # Without embedded readers, a server may run on another machine, so young files stay.
            swept = maintenance.run_all(**({"grace_seconds": 0} if conf.embedded else {}))
    except BlockingIOError:  # a server runs: a young file may belong to an upload in progress
        swept = maintenance.run_all()
    jobs = "1 job" if swept.jobs == 1 else f"{swept.jobs} jobs"
    files = f"{swept.orphaned_files} orphaned and {swept.incomplete_files} incomplete files"
    print(f"Recovered {jobs}, removed {files}.")
