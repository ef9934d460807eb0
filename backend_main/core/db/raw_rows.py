"""Instances of models from rows of SQL that is written by hand.

The ORM builds the SQL of each query again, which takes several times as long as to find one row by an index.
That matters where every request has the query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)
Converters = list[list[Callable[[Any], Any]]]


class RowReader(Generic[M]):
    """Reader of the rows of one model.

    Attributes:
        columns: The columns for the SQL, with the name of the table.
        width: The number of columns.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._fields = model._meta.concrete_fields
        self._names = [field.attname for field in self._fields]
        self._converters: Converters | None = None
        self.width = len(self._fields)

    @property
    def table(self) -> str:
        return connection.ops.quote_name(self._model._meta.db_table)

    @property
    def columns(self) -> str:
        return ", ".join(f"{self.table}.{connection.ops.quote_name(str(f.column))}" for f in self._fields)

    def instance(self, row: Sequence[Any]) -> M:
        """Return the instance of a row with these columns."""
        if self._converters is None:
            self._converters = [self._converters_of(field) for field in self._fields]
        values = []
        for value, converters in zip(row, self._converters, strict=True):
            for convert in converters:
                value = convert(value)
            values.append(value)
        return self._model.from_db(connection.alias, self._names, values)

    def _converters_of(self, field: models.Field[Any, Any]) -> list[Callable[[Any], Any]]:
        column = field.get_col(self._model._meta.db_table)
        found = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
        return [_with_column(convert, column) for convert in found]


def _with_column(convert: Callable[..., Any], column: object) -> Callable[[Any], Any]:
    return lambda value: convert(value, column, connection)
