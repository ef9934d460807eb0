"""Schema changes that would break a program of an older schema (docs/decisions/0090)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Field, ForeignKey
from django.db.models.fields import NOT_PROVIDED

APP = "core"
# Users are deactivated; no program deletes one, so a new table may refer to them.
NEVER_DELETED = {f"{APP}.user", "settings.auth_user_model"}


def migration_names() -> list[str]:
    """Return all migrations, in order."""
    loader = MigrationLoader(None)
    [leaf] = loader.graph.leaf_nodes(APP)
    return [name for app, name in loader.graph.forwards_plan(leaf) if app == APP]


def state_at(name: str) -> ProjectState:
    state: ProjectState = MigrationLoader(None).project_state((APP, name))
    return state


def problems(before: ProjectState, after: ProjectState) -> list[str]:
    """Return incompatibilities as sentences; empty if a program of `before` can use the tables of `after`."""
    found: list[str] = []
    for key, model in before.models.items():
        if key[0] != APP:
            continue
        if key not in after.models:
            found.append(f"the table of {key[1]} was removed")
        else:
            found += _table_problems(key[1], model, after.models[key])
    for key, model in after.models.items():
        if key[0] == APP and key not in before.models:
            found += _new_table_problems(key[1], model, before)
    return found


def _table_problems(table: str, before: ModelState, after: ModelState) -> Iterator[str]:
    if before.options.get("db_table") != after.options.get("db_table"):
        yield f"{table} was renamed"
    columns_before, columns_after = _by_column(before), _by_column(after)
    for name, field in columns_before.items():
        if name not in columns_after:
            yield f"{table}.{name} was removed"
        else:
            yield from _column_problems(f"{table}.{name}", field, columns_after[name])
    for name, field in columns_after.items():
        if name not in columns_before and not (field.null or field.db_default is not NOT_PROVIDED):
            yield f"{table}.{name} is new, not nullable, and has no database default"
        if name not in columns_before and field.unique and not field.null:
            yield f"{table}.{name} is new and unique, so its default fits one row only"
    known = {constraint.name for constraint in before.options.get("constraints", ())}
    for constraint in after.options.get("constraints", ()):
        if constraint.name not in known:
            yield f"{table} has a new constraint, {constraint.name}"


def _by_column(model: ModelState) -> dict[str, Field[Any, Any]]:
    return {field.db_column or name: field for name, field in model.fields.items()}


def _column_problems(name: str, before: Field[Any, Any], after: Field[Any, Any]) -> Iterator[str]:
    if before.get_internal_type() != after.get_internal_type():
        yield f"{name} has another type"
    if before.null and not after.null:
        yield f"{name} is not nullable any more"
    if after.max_length is not None and (before.max_length is None or after.max_length < before.max_length):
        yield f"{name} has a smaller maximum length"
    if after.unique and not before.unique:
        yield f"{name} must be unique now"
    if before.db_default is not NOT_PROVIDED and after.db_default is NOT_PROVIDED:
        yield f"{name} has no database default any more"


def _new_table_problems(table: str, model: ModelState, before: ProjectState) -> Iterator[str]:
    """Yield foreign keys that block deletes: the older program does not know the referring rows.

    It deletes no rows of a table that is new as well.
    """
    for name, field in model.fields.items():
        if isinstance(field, ForeignKey):
            to = str(field.deconstruct()[3]["to"]).lower()
            app, _, target = to.partition(".")
            if to not in NEVER_DELETED and (app, target) in before.models:
                yield f"{table}.{name} is new and refers to {to}: an older program cannot delete its rows"
