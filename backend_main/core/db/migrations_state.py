"""Comparison of the database's migrations with the migrations of this program."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

_APP = "core"


class MigrationsState(NamedTuple):
    """Number of migrations to apply, and whether a newer version of scanrill wrote the database."""

    unapplied_count: int
    is_newer: bool

    @property
    def is_current(self) -> bool:
        return not self.unapplied_count


def migrations_state() -> MigrationsState:
    """Read the applied migrations and compare them with the files of this program."""
    executor = MigrationExecutor(connection)
    known = {name for app, name in executor.loader.disk_migrations if app == _APP}
    applied = {name for app, name in executor.loader.applied_migrations if app == _APP}
    unapplied = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return MigrationsState(len(unapplied), is_newer=bool(applied - known))
