"""Concurrent calls, each on its own thread with its own database connection."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection


def run_concurrently(*functions: Callable[[], object]) -> list[BaseException | None]:
    """Call all functions at once, each on its own thread; return what each raised, or None."""
    barrier = threading.Barrier(len(functions))
    errors: list[BaseException | None] = [None] * len(functions)

    def run(index: int, function: Callable[[], object]) -> None:
        try:
            barrier.wait()
            function()
        except BaseException as error:
            errors[index] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(index, function)) for index, function in enumerate(functions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
