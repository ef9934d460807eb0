"""A database and files in the state of an older schema, written without the older program."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.accounts import Account
from tests.support.database_rows import Execute, transaction
from tests.support.scripted_documents import Document
from tests.support.server import Server

EPOCH = "older"
OLD_TIMESTAMP = "2026-01-02 03:04:05.000000"
MIGRATE_PROGRAM = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "backend_main.backend.settings"
import django
django.setup()
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from backend_main.core import storage
storage.prepare()
names = sorted(name for app, name in MigrationLoader(None).graph.nodes if app == "core")
call_command("migrate", "core", names[-2] if sys.argv[1] == "previous" else sys.argv[1], verbosity=0)
"""
ERRORS_BY_TERMINAL_STATUS = {"processed": None, "error": "The reader failed.", "cancelled": "Cancelled"}


@dataclass
class OldSchemaDatabase:
    """A database with one upload per status; `ids` and `documents` are keyed by status.

    Each upload has three pages. The processing and the cancelled one have their first page saved.
    `last_seq` is the number of the latest event.
    """

    server: Server
    account: Account
    directory: Path
    sign_in_code: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    last_seq: int = 0

    @classmethod
    def create(cls, server: Server, schema: str) -> OldSchemaDatabase:
        """Migrate a new database to `schema`, or to the last but one if `previous`, and fill it."""
        server.data_dir.mkdir(mode=0o700)
        done = subprocess.run(
            [sys.executable, "-c", MIGRATE_PROGRAM, schema],
            env=server.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        account = Account.create(server, name="ada")
        database = cls(server, account, server.data_dir.with_name("documents"), account.sign_in_code())
        with transaction(server) as execute:
            execute("INSERT INTO core_eventlog (id, epoch) VALUES (1, ?)", EPOCH)
            for status in ("pending", "processing", *ERRORS_BY_TERMINAL_STATUS):
                database._add_upload(execute, status)
            for status in ERRORS_BY_TERMINAL_STATUS:
                database._add_event(execute, status, database._terminal_message(status))
            counter = "INSERT INTO core_eventcounter (owner_id, seq) VALUES (?, ?)"
            execute(counter, account.id.hex, database.last_seq)
        return database

    @property
    def file(self) -> bytes:
        return self.documents["processed"].tiff

    @property
    def filenames(self) -> list[str]:
        """The file names, in order of creation."""
        return [f"{status}.tiff" for status in self.ids]

    def _add_upload(self, execute: Execute, status: str) -> None:
        (self.directory / status).mkdir(parents=True)
        document = self.documents[status] = Document(self.directory / status, 3)
        self.ids[status] = key = str(uuid.uuid4())
        self._store_file(key, document.tiff)
        pages = {"processed": 3, "processing": 1, "cancelled": 1}.get(status, 0)
        _insert(execute, "core_upload", **self._upload_row(status, document, pages))
        for number in range(1, pages + 1):
            _insert(execute, "core_page", **self._page_row(key, number))
        if status in ("pending", "processing"):
            _insert(execute, "core_job", **self._job_row(key, claimed=status == "processing"))
        self._add_event(execute, status, {"type": "Upload.created", "instance": self._instance(status)})

    def _store_file(self, key: str, content: bytes) -> None:
        directory = self.server.data_dir / "files" / key
        directory.mkdir(parents=True, mode=0o700)
        (directory / "original.tiff").write_bytes(content)

    def _upload_row(self, status: str, document: Document, pages: int) -> dict[str, Any]:
        text = document.text_up_to(pages) if status in ERRORS_BY_TERMINAL_STATUS else ""
        return {
            "id": uuid.UUID(self.ids[status]).hex,
            "owner_id": self.account.id.hex,
            "filename": f"{status}.tiff",
            "image_path": f"{self.ids[status]}/original.tiff",
            "image_hash": hashlib.sha256(document.tiff).hexdigest(),
            "content_type": "image/tiff",
            "bytes": len(document.tiff),
            "status": status,
            "error": ERRORS_BY_TERMINAL_STATUS.get(status),
            "attempt": 0 if status == "pending" else 1,
            "page_count": 3 if pages else None,
            "pages_done": pages,
            "engine": "" if status == "pending" else "dummy",
            **dict.fromkeys(("languages", "warnings"), "[]"),
            "metadata": '{"from": "before"}',
            "raw_text": text,
            "reading_text": text,
            "correction": "corrected by a person" if status == "processed" else None,
            **dict.fromkeys(("created_at", "updated_at"), OLD_TIMESTAMP),
        } | self._newer_columns(status)

    def _newer_columns(self, status: str) -> dict[str, Any]:
        """Return values for columns that newer schemas require."""
        columns = _columns(self.server)
        return {"asked": "{}"} if "asked" in columns else {}

    def _page_row(self, key: str, number: int) -> dict[str, Any]:
        text = f"page {number}"
        return {
            "upload_id": uuid.UUID(key).hex,
            "attempt": 1,
            "number": number,
            **dict.fromkeys(("width", "height"), 8),
            **dict.fromkeys(("markdown", "text"), text),
            **dict.fromkeys(("lines", "warnings"), "[]"),
            "created_at": OLD_TIMESTAMP,
        }

    def _job_row(self, key: str, *, claimed: bool) -> dict[str, Any]:
        return {
            "id": uuid.uuid4().hex,
            "upload_id": uuid.UUID(key).hex,
            "first_page": 1,
            "attempt": int(claimed),
            "failures": 0,
            "claimed_by": "of a removed machine" if claimed else "",
            "lease_until": OLD_TIMESTAMP if claimed else None,
            "created_at": OLD_TIMESTAMP,
        }

    def _instance(self, status: str) -> dict[str, Any]:
        """Return the instance in the state of its creation event."""
        row = self._upload_row(status, self.documents[status], 0)
        copied = ("filename", "image_path", "image_hash", "content_type", "bytes", "page_count", "pages_done")
        return {
            "id": self.ids[status],
            "owner": self.account.name,
            **{name: row[name] for name in copied},
            "status": "pending",
            "error": None,
            "engine": "",
            "languages": [],
            "metadata": {},
            "warnings": [],
            **dict.fromkeys(("created_at", "updated_at"), "2026-01-02T03:04:05Z"),
        }

    def _terminal_message(self, status: str) -> dict[str, Any]:
        end = {"type": "Upload.status", "id": self.ids[status], "status": status}
        texts = {"raw_text": "", "processed_text": ""}  # messages in the log carry no texts
        return end | (texts if status == "processed" else {"error": ERRORS_BY_TERMINAL_STATUS[status]})

    def _add_event(self, execute: Execute, status: str, message: dict[str, Any]) -> None:
        self.last_seq += 1
        _insert(
            execute,
            "core_event",
            owner_id=self.account.id.hex,
            seq=self.last_seq,
            upload_id=uuid.UUID(self.ids[status]).hex,
            attempt=int("instance" not in message),
            kind=message.get("status", "created"),
            message=json.dumps(message),
            origin="",
        )


def _columns(server: Server) -> set[str]:
    with transaction(server) as execute:
        if server.database_url:
            query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'core_upload'"
        else:
            query = "SELECT name FROM pragma_table_info('core_upload')"
        return {name for (name,) in execute(query)}


def _insert(execute: Execute, table: str, **row: Any) -> None:
    placeholders = ", ".join("?" * len(row))
    execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({placeholders})", *row.values())
