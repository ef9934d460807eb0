"""Compatibility of migrations with older programs that still run: the schema only grows."""

from __future__ import annotations

import uuid

import pytest
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.models import (
    Event,
    Status,
    Upload,
    User,
)
from backend_main.core.uploads import commands
from tests.support import schema_compat
from tests.support.database import new_user

NAMES = schema_compat.migration_names()
OLDER = NAMES[:-1]
NEWEST = NAMES[-1]
GROWING = (
    migrations.CreateModel,
    migrations.AddField,
    migrations.AlterField,
    migrations.AddIndex,
    migrations.AddConstraint,
    migrations.AlterModelOptions,
    migrations.RenameField,  # `schema_compat.problems` checks that the column keeps its name
)


@pytest.mark.parametrize("name", OLDER)
def test_newest_schema_works_with_the_program_of_any_older_one(name: str) -> None:
    assert schema_compat.problems(schema_compat.state_at(name), schema_compat.state_at(NEWEST)) == []


def test_migrations_only_add() -> None:
    """The test above does not check migrations that run code or SQL: their authors must do so."""
    loader = MigrationLoader(None)
    for name in NAMES:
        for operation in loader.get_migration(schema_compat.APP, name).operations:
            assert grows(operation), f"{name}: {operation.describe()}"


def grows(operation: Operation) -> bool:
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return all(map(grows, operation.state_operations))
    return isinstance(operation, GROWING)


def foreign_key(model: str) -> models.ForeignKey[User, User]:
    return models.ForeignKey(model, on_delete=models.CASCADE)


KEY = [("id", models.BigAutoField(primary_key=True))]
BREAKING = {
    "was removed": migrations.RemoveField("upload", "filename"),
    "filename was removed": migrations.RenameField("upload", "filename", "title"),
    "table of page was removed": migrations.DeleteModel("Page"),
    "table of job was removed": migrations.RenameModel("Job", "Work"),
    "was renamed": migrations.AlterModelTable("Page", "pages"),
    "no database default": migrations.AddField("upload", "color", models.CharField(max_length=9, default="")),
    "one row only": migrations.AddField(
        "upload", "serial", models.CharField(max_length=9, unique=True, db_default="")
    ),
    "smaller maximum length": migrations.AlterField("upload", "filename", models.CharField(max_length=254)),
    "not nullable any more": migrations.AlterField("upload", "error", models.TextField(default="")),
    "another type": migrations.AlterField("upload", "bytes", models.TextField()),
    "unique now": migrations.AlterField("upload", "image_hash", models.CharField(max_length=64, unique=True)),
    "no database default any more": migrations.AlterField(
        "upload", "first_attempt", models.PositiveIntegerField(default=0, db_column="run")
    ),
    "new constraint": migrations.AddConstraint(
        "upload", models.CheckConstraint(condition=models.Q(bytes__gt=0), name="upload_has_bytes")
    ),
    "cannot delete its rows": migrations.CreateModel("Note", [*KEY, ("upload", foreign_key("core.Upload"))]),
}
COMPATIBLE: list[Operation] = [
    migrations.AddField("upload", "color", models.CharField(max_length=9, db_default="")),
    migrations.AddField("upload", "read_at", models.DateTimeField(null=True)),
    migrations.AlterField("upload", "filename", models.CharField(max_length=500)),
    migrations.RenameField("upload", "first_attempt", "first"),  # its column keeps its name
    migrations.AddIndex("upload", models.Index(fields=["bytes"], name="upload_by_size")),
    migrations.CreateModel("Note", [*KEY, ("owner", foreign_key("core.User"))]),
]


def problems_of(operation: Operation) -> list[str]:
    before = schema_compat.state_at(NEWEST)
    now = before.clone()
    operation.state_forwards(schema_compat.APP, now)
    return schema_compat.problems(before, now)


@pytest.mark.parametrize("problem", BREAKING)
def test_problems_finds_changes_that_break_an_older_program(problem: str) -> None:
    assert any(problem in found for found in problems_of(BREAKING[problem]))


@pytest.mark.parametrize("operation", COMPATIBLE, ids=lambda operation: operation.describe())
def test_problems_accepts_compatible_changes(operation: Operation) -> None:
    assert problems_of(operation) == []


# ── rows of an older program and the newer one ──


def create_with(old: Apps, owner: User) -> uuid.UUID:
    """Write the rows of a new upload as the program of an older schema does; return the id."""
    upload = old.get_model("core", "Upload").objects.create(
        owner_id=owner.pk,
        filename="old.png",
        image_path=f"{uuid.uuid4()}/original.png",
        image_hash=uuid.uuid4().hex * 2,
        content_type="image/png",
        bytes=1,
    )
    old.get_model("core", "Job").objects.create(upload_id=upload.pk)
    return uuid.UUID(str(upload.pk))


@pytest.mark.parametrize("name", OLDER)
def test_upload_of_an_older_program_can_be_read_retried_and_deleted(name: str, db: None) -> None:
    old, owner = schema_compat.state_at(name).apps, new_user()
    upload_id = create_with(old, owner)
    claim = job_queue.claim_next("newer reader")
    assert claim is not None
    assert (claim.upload_id, claim.attempt, claim.priority) == (upload_id, 1, 0)
    results.finish(claim)
    assert commands.retry(owner=owner, upload_id=upload_id).status == Status.PENDING
    commands.delete(owner=owner, upload_id=upload_id)
    assert not Upload.objects.filter(pk=upload_id).exists()


@pytest.mark.parametrize("name", [name for name in OLDER if name >= "0004"])
def test_upload_of_a_newer_program_can_be_changed_and_deleted_by_an_older_one(name: str, db: None) -> None:
    old, owner = schema_compat.state_at(name).apps, new_user()
    upload = Upload.objects.create(owner=owner, filename="new.png", bytes=1, image_hash="0" * 64)
    row = old.get_model("core", "Upload").objects.get(pk=upload.pk)
    row.filename = "renamed.png"
    row.save()
    old.get_model("core", "Event").objects.create(
        owner_id=owner.pk, seq=1, upload_id=upload.pk, attempt=0, kind="updated", message="{}"
    )
    old.get_model("core", "Page").objects.create(
        upload_id=upload.pk, attempt=1, number=1, width=1, height=1, markdown="", text=""
    )
    assert Upload.objects.get(pk=upload.pk).filename == "renamed.png"
    assert Event.objects.get(owner=owner).created_at is not None
    row.delete()
    assert not Upload.objects.filter(pk=upload.pk).exists()
