"""`scanrill sweep`: puts right what crashes left behind; works beside a running server."""

from __future__ import annotations

from .data_dir import DataDir, locked, set_up


def sweep(data_dir: DataDir = None) -> None:
    """Remove files that no upload refers to, open the jobs of readers that died. A server does so itself."""
    conf = set_up(data_dir)
    from backend_main.core import maintenance

    try:
        with locked(conf.data_dir / "serve.lock", wait=False):
            # Not embedded, a server may run on another machine.
            swept = maintenance.run_all(**({"grace_seconds": 0} if conf.embedded else {}))
    except BlockingIOError:  # a server runs: what is young may be an upload that is just coming in
        swept = maintenance.run_all()
    jobs = "1 job" if swept.jobs == 1 else f"{swept.jobs} jobs"
    files = f"{swept.orphaned_files} orphaned and {swept.incomplete_files} incomplete files"
    print(f"Recovered {jobs}, removed {files}.")
