"""Things done at the same time, each on a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection


def run_concurrently(*acts: Callable[[], object]) -> list[BaseException | None]:
    """Calls each on a thread of its own, all at once; what each raised."""
    barrier = threading.Barrier(len(acts))
    raised: list[BaseException | None] = [None] * len(acts)

    def run(at: int, act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            act()
        except BaseException as error:
            raised[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at, act)) for at, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised
