"""Functions of SQL that Django lacks."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, IntegerField


class ByteLength(Func):
    """Length of a text in bytes of UTF-8, or of binary data in bytes."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # OCTET_LENGTH needs SQLite 3.43.
        return self.as_sql(
            compiler, connection, function="LENGTH", template="LENGTH(CAST(%(expressions)s AS BLOB))"
        )
