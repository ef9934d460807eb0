"""`scanrill sweep`: puts right what crashes left behind; works beside a running server."""

from __future__ import annotations

from .data import DataDir, locked, open_data


def sweep(data_dir: DataDir = None) -> None:
    """Remove files that no upload refers to, open the jobs of readers that died. A server does so itself."""
    conf = open_data(data_dir)
    from backend_main.core import sweep as sweeping

    try:
        with locked(conf.data_dir / "serve.lock", wait=False):
            # Not embedded, a server may run on another machine.
            swept = sweeping.everything(**({"grace_seconds": 0} if conf.embedded else {}))
    except BlockingIOError:  # a server runs: what is young may be an upload that is just coming in
        swept = sweeping.everything()
    print(f"{swept.claims} claims opened, {swept.files} files and {swept.incoming} unfinished files removed")
