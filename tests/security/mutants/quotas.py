"""Guards of the storage: free space, quotas, errors of the database, and modes of files."""

from __future__ import annotations

from . import Mutant

CORE = "backend_main/core"

MUTANTS = [
    Mutant(
        "h7",
        f"{CORE}/storage/disk_space.py",
        "self._check(file, announced_bytes)",
        "pass",
        "test_h7_free_space.py -k announced_at_once",
    ),
    Mutant(
        "h7",
        f"{CORE}/storage/disk_space.py",
        "self._check(file, new_bytes - from_reserve)",
        "pass",
        "test_h7_free_space.py -k without_a_length",
    ),
    Mutant(
        "h7",
        f"{CORE}/storage/disk_space.py",
        "(new_bytes and has_other_files and held + new_bytes > available)",
        "False",
        "test_h7_free_space.py -k half",
    ),
    Mutant(
        "h7",
        f"{CORE}/storage/filesystem.py",
        "disk_space.incoming.open_file(len(content))",
        "suppress()",
        "test_h7_free_space.py -k page_image",
    ),
    Mutant(
        "h8",
        f"{CORE}/uploads/rows.py",
        "quotas.check_bytes(owner, new_bytes, field)",
        "pass",
        "test_h8_quotas.py -k correction_beyond",
    ),
    Mutant(
        "h8",
        f"{CORE}/uploads/usage.py",
        'F("bytes") + Coalesce("text_bytes", 0)',
        'F("bytes")',
        "test_h8_quotas.py -k leave_no_space",
    ),
    Mutant(
        "h8",
        f"{CORE}/uploads/ingest.py",
        "self._quota.check(self._space, self._field)",
        "pass",
        "test_h8_quotas.py -k unfinished",
    ),
    Mutant(
        "h8",
        f"{CORE}/event_log.py",
        "event_bytes > limit:",
        "False:",
        "test_h8_quotas.py -k events_beyond",
    ),
    Mutant(
        "h8",
        f"{CORE}/uploads/page_image_cache.py",
        "storage.write_derived(key, name, content)\n            _evict(owner_id)",
        "storage.write_derived(key, name, content)",
        "test_h8_quotas.py -k evicted",
    ),
    Mutant(
        "m8",
        f"{CORE}/db/failures.py",
        "SQLITE_BUSY: Failure.WAITED,",
        "",
        "test_m8_database_errors.py -k locked",
    ),
    Mutant(
        "m8",
        f"{CORE}/http/health.py",
        "reasons += database_write_failures()",
        "pass",
        "test_m8_database_errors.py -k locked",
    ),
    Mutant(
        "m8",
        f"{CORE}/db/failures.py",
        "SQLITE_NOTADB: Failure.BROKEN,",
        "",
        "test_m8_database_errors.py -k damaged",
    ),
    Mutant(
        "l5",
        "backend_main/cli/data_dir.py",
        "os.umask(0o077)",
        "pass",
        "test_l5_private_files.py -k open_umask",
    ),
    Mutant(
        "l5",
        "backend_main/cli/data_dir.py",
        "path.chmod(mode & ~OTHERS_MODE)",
        "pass",
        "test_l5_private_files.py -k open_umask",
    ),
]
