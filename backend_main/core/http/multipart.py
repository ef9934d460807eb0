"""Writers of a request body that brings a file: the body itself, or one part of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ..errors import RequestError
from ..uploads import ingest
from . import content_disposition
from .http_errors import FieldsTooLarge

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FILE_FIELD = "file"
# A form has few fields. Empty parts cost .2 s a MiB, which the interpreter spends on the calls for each.
MAX_PARTS = 100
# The limit of other bodies without a file (`request_gate.DEFAULT_MAX_BODY_BYTES`).
MAX_FIELD_BYTES = 64 * 1024


class BodyWriter(Protocol):
    """Parser of a request body that writes the file in it.

    Attributes:
        fields: The other fields of a form, complete after `finish`; of repeated ones the last.
        lists: All values of each field.
    """

    fields: dict[str, str]
    lists: dict[str, list[str]]

    def write(self, chunk: bytes) -> object: ...

    def finish(self) -> ingest.StagedFile: ...


def create_body_writer(
    content_type: bytes, filename: str | None, staged_file: ingest.StagedFileWriter
) -> BodyWriter:
    """Return the writer of a body.

    Args:
        content_type: The header `Content-Type`.
        filename: Name of the file, if the body is the file itself.
        staged_file: Gets the bytes of the file.
    """
    media_type, parameters = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        return RawBodyWriter(staged_file, filename)
    if not parameters.get(b"boundary"):
        raise RequestError({FILE_FIELD: "The multipart body has no boundary."})
    return MultipartBodyWriter(parameters[b"boundary"], staged_file)


class RawBodyWriter:
    """Writer of a body that is the file itself. It has no fields."""

    def __init__(self, staged_file: ingest.StagedFileWriter, name: str | None) -> None:
        self.fields: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self._staged_file = staged_file
        self._name = name

    def write(self, chunk: bytes) -> None:
        self._staged_file.write(chunk)

    def finish(self) -> ingest.StagedFile:
        return self._staged_file.finish(self._name)


class MultipartBodyWriter:
    """Parser of a multipart body that writes the one part with a file name, and keeps the fields.

    It rejects a second file, more than `MAX_PARTS` parts, and fields of more than `MAX_FIELD_BYTES` together.
    """

    def __init__(self, boundary: bytes, staged_file: ingest.StagedFileWriter) -> None:
        self.fields: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self._staged_file = staged_file
        self._name: str | None = None
        self._is_file_part = False
        self._field_name: str | None = None
        self._field_value = bytearray()
        self._field_bytes = 0
        self._is_complete = False
        self._parts = 0
        # The header that is being parsed. The parser limits its size.
        self._header_name = b""
        self._header_value = b""
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError:
            raise RequestError({FILE_FIELD: "The multipart body has no usable boundary."}) from None

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise RequestError({FILE_FIELD: "The multipart body is malformed."}) from None

    def finish(self) -> ingest.StagedFile:
        if not self._is_complete:
            raise RequestError({FILE_FIELD: "The multipart body is cut short."})
        if self._name is None:
            raise RequestError({FILE_FIELD: "A file is expected, as the body or as a part with a file name."})
        return self._staged_file.finish(self._name)

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise RequestError({FILE_FIELD: f"The multipart body has more than {MAX_PARTS} parts."})

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        name = self._header_name.lower()
        value = self._header_value
        self._header_name = b""
        self._header_value = b""
        if name == content_disposition.NAME.encode():
            self._begin_part(value)

    def _begin_part(self, header: bytes) -> None:
        """Begin a file, or a field, by its `Content-Disposition`."""
        file_name = content_disposition.file_name(header)
        if file_name is None:
            _, parameters = parse_options_header(header)
            self._field_name = parameters.get(b"name", b"").decode("utf-8", "replace") or None
            return
        if self._name is not None:
            raise RequestError(
                {FILE_FIELD: "One file at a time is expected. Send each file in its own request."}
            )
        self._name = file_name
        self._is_file_part = True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file_part:
            self._staged_file.write(data[start:end])
        elif self._field_name is not None:
            self._field_bytes += end - start
            if self._field_bytes > MAX_FIELD_BYTES:
                raise FieldsTooLarge(MAX_FIELD_BYTES)
            self._field_value += data[start:end]

    def _on_part_end(self) -> None:
        self._is_file_part = False
        if self._field_name is not None:
            value = self._field_value.decode("utf-8", "replace")
            self.fields[self._field_name] = value
            self.lists.setdefault(self._field_name, []).append(value)
            self._field_name = None
            self._field_value.clear()

    def _on_end(self) -> None:
        self._is_complete = True
