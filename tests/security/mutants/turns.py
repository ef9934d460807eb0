"""Guards of what users share: readers, page images, database threads, lists and exports."""

from __future__ import annotations

from . import Mutant

EXECUTOR = "backend_main/core/db/executor.py"
EXPORTS = "backend_main/core/http/exports.py"
PAGE_IMAGES = "backend_main/core/uploads/page_images.py"

MUTANTS = [
    Mutant(
        "h6",
        "backend_main/core/db/settings.py",
        'wrapper.transaction_mode, "DEFERRED"',
        'wrapper.transaction_mode, "IMMEDIATE"',
        "test_h6_large_lists.py -k lock",
    ),
    Mutant(
        "h6",
        "backend_main/core/live/hub.py",
        "            await connection.send_queue.drain()\n",
        "",
        "test_h6_large_lists.py -k few",
    ),
    Mutant(
        "h10",
        "backend_main/core/jobs/reader_time.py",
        "now.timestamp(), seconds)",
        "now.timestamp(), CLAIM_SECONDS)",
        "test_h10_reader_time.py -k slow_pages",
    ),
    Mutant(
        "h10",
        "backend_main/core/tasks.py",
        "results.count_timeout(",
        "results.count_failure(",
        "test_h10_reader_time.py -k once_more",
    ),
    Mutant(
        "h11",
        PAGE_IMAGES,
        "MAX_RENDERS = MAX_RENDERS_PER_USER + 1",
        "MAX_RENDERS = MAX_RENDERS_PER_USER",
        "test_h11_page_images.py -k leave",
    ),
    Mutant(
        "h11",
        PAGE_IMAGES,
        "MAX_SLOW_RENDERS = MAX_RENDERS - 1",
        "MAX_SLOW_RENDERS = MAX_RENDERS",
        "test_h11_page_images.py -k many_users",
    ),
    Mutant(
        "h11",
        PAGE_IMAGES,
        "return message if time.monotonic() < until else None",
        "return None",
        "test_h11_page_images.py -k again",
    ),
    Mutant(
        "m9",
        EXECUTOR,
        "MAX_CALLS_PER_USER = MAX_USER_CALLS // 2",
        "MAX_CALLS_PER_USER = MAX_USER_CALLS",
        "test_m9_database_threads.py -k leave_threads_to_others",
    ),
    Mutant(
        "m9",
        EXECUTOR,
        "MAX_USER_CALLS = MAX_THREADS - 2",
        "MAX_USER_CALLS = MAX_THREADS",
        "test_m9_database_threads.py -k sign_in",
    ),
    Mutant(
        "m9",
        "backend_main/core/http/multipart.py",
        "if self._parts > MAX_PARTS:",
        "if False:",
        "test_m9_database_threads.py -k multipart",
    ),
    Mutant(
        "m9",
        EXECUTOR,
        "_export_steps = FairExecutor(_export_threads, MAX_EXPORT_STEPS, per_user=1)",
        "_export_steps = FairExecutor(_export_threads, MAX_EXPORT_STEPS, per_user=MAX_EXPORT_STEPS)",
        "test_m9_database_threads.py -k leave_threads_to_others",
    ),
    Mutant(
        "s33",
        EXPORTS,
        "    await places.acquire(user.pk)\n",
        "",
        "../unit/core/test_export_views.py -k waits",
    ),
]
