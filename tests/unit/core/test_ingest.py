"""Tests of ingest: untrusted base64 and paths become checked, hashed files; a failure leaves no file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend_main.core import storage
from backend_main.core.conf import conf
from backend_main.core.errors import RequestError, StorageFull
from backend_main.core.protocol.base64_text import Base64Text
from backend_main.core.uploads import ingest
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png

PNG = scripted_png(lines=["x"])


@pytest.fixture(autouse=True)
def no_staged_files_remain() -> Iterator[None]:
    yield
    assert not list(conf.staging_dir.iterdir())


def image_bytes(image_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(buffer, image_format)
    return buffer.getvalue()


def ingest_base64(text: str, name: str | None = None) -> tuple[bytes, ingest.StagedFile]:
    with ingest.from_base64(text, name=name) as file:
        return file.path.read_bytes(), file


def errors_of(text: str) -> dict[str, str]:
    with pytest.raises(RequestError) as raised:
        ingest_base64(text)
    return raised.value.fields


def set_limits(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    monkeypatch.setattr(ingest, "conf", msgspec.structs.replace(conf, **changes))


# ── base64 ──


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 10**6])
@pytest.mark.parametrize("dropped_bytes", [0, 1, 2])
def test_from_base64_decodes_chunks_of_any_size(
    chunk_size: int, dropped_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", chunk_size)
    data = PNG[: len(PNG) - dropped_bytes]  # all three forms of padding
    content, file = ingest_base64(base64_of(data))
    assert content == data
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert file.bytes == len(data)


@pytest.mark.parametrize("chunk_size", [1, 3, 4, 6, 76, 77])
def test_from_base64_accepts_white_space_and_a_data_url_prefix(
    chunk_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", chunk_size)
    wrapped = base64.encodebytes(PNG).decode().replace("\n", " \r\n\t")
    assert ingest_base64(wrapped)[0] == PNG
    assert ingest_base64("data:image/png;base64," + wrapped)[0] == PNG
    assert ingest_base64(" data:image/png;charset=utf-8;base64,\n" + wrapped + "\n\n")[0] == PNG


TEXTS = st.text(alphabet="ABcd01+/=- \n\té", max_size=40) | st.binary(max_size=40).map(base64_of)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, chunk_size=st.integers(1, 12))
def test_iter_decoded_matches_the_standard_library(text: str, chunk_size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "CHUNK_CHARACTERS", chunk_size)
        try:
            content: bytes | None = b"".join(ingest._iter_decoded(Base64Text(text)))
        except RequestError:
            content = None
        assert content == strictly_decoded("".join(text.split()))


def strictly_decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if is_base64(text) else None
    except (binascii.Error, ValueError):
        return None


def is_base64(text: str) -> bool:
    """Return whether RFC 4648 allows the padding; the standard library accepts more `=`."""
    body = text.rstrip("=")
    return len(text) % 4 == 0 and "=" not in body and len(text) - len(body) <= 2


@pytest.mark.parametrize("chunk_size", [1, 4, 5, 8, 100])
@pytest.mark.parametrize(
    "text",
    [
        "QQ==QQ==",
        "QUE=QUFB",
        "QQ= =QUFB",
        "Q=Q=",
        "====",
        "=",
        "QQ===",
        "QQ",
        "Q",
        "QUFBQ",
        "QUF!",
        "QUF\u00e9",
        "QUF-QUF_",
        "QUFB\x00QUFB",
        "data:image/png;base64,data:image/png;base64,QUFB",
        "\ud800QUFB",
    ],
)
def test_from_base64_of_invalid_text_is_an_error_on_image_base64(
    text: str, chunk_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", chunk_size)
    fields = errors_of(text)
    assert list(fields) == ["image_base64"]
    assert fields["image_base64"].startswith("Invalid base64 encoding: ")


@pytest.mark.parametrize("text", ["", " \n", "data:image/png;base64,", "data:;base64, "])
def test_from_base64_of_an_empty_file_is_an_error(text: str) -> None:
    assert errors_of(text) == {"image_base64": "The file is empty."}


# ── size ──


def test_from_base64_accepts_the_largest_size_and_no_byte_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_limits(monkeypatch, max_upload_bytes=len(PNG))
    assert ingest_base64(base64_of(PNG))[0] == PNG
    set_limits(monkeypatch, max_upload_bytes=len(PNG) - 1)
    fields = errors_of(base64_of(PNG))
    assert list(fields) == ["image_base64"]
    assert str(len(PNG) - 1) in fields["image_base64"]


def test_from_base64_without_a_limit_accepts_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(monkeypatch, max_upload_bytes=0)
    assert ingest_base64(base64_of(PNG + b"\0" * 5_000_000))[1].bytes == len(PNG) + 5_000_000


def test_from_base64_stops_decoding_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(monkeypatch, max_upload_bytes=1000)
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", 4000)
    decoded: list[int] = []
    decode = ingest._decode_chunk
    monkeypatch.setattr(
        ingest, "_decode_chunk", lambda chunk_size: decoded.append(len(chunk_size)) or decode(chunk_size)
    )
    errors_of(base64_of(b"\0" * 10_000_000))
    assert sum(decoded) <= 8000


# ── file type ──


@pytest.mark.parametrize(
    ("image_format", "content_type", "extension"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("WEBP", "image/webp", "webp"),
        ("GIF", "image/gif", "gif"),
        ("BMP", "image/bmp", "bmp"),
        ("TIFF", "image/tiff", "tif"),
    ],
)
def test_file_type_depends_on_the_content(image_format: str, content_type: str, extension: str) -> None:
    _, file = ingest_base64(base64_of(image_bytes(image_format)), name="claims-to-be.pdf")
    assert (file.file_type.content_type, file.file_type.extension) == (content_type, extension)


@pytest.mark.parametrize("before", [0, 1, 500, 1019])
def test_file_type_of_a_pdf_allows_bytes_before_its_header(before: int) -> None:
    assert ingest_base64(base64_of(b"\n" * before + b"%PDF-1.7\n"))[1].file_type.extension == "pdf"


def png_header(width: int, height: int) -> bytes:
    import zlib

    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    "data",
    [
        b"plain text",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script>",
        b"\n" * 1030 + b"%PDF-1.7\n",
        b"GIF88a" + b"\0" * 50,
        b"\0",
        b"PK\x03\x04" + b"\0" * 50,
    ],
)
def test_file_type_of_an_unsupported_format_is_an_error(data: bytes) -> None:
    fields = errors_of(base64_of(data))
    assert list(fields) == ["image_base64"]
    assert fields["image_base64"].startswith("Unsupported file format")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_file_type_of_a_cut_header_is_an_error(image_format: str) -> None:
    fields = errors_of(base64_of(image_bytes(image_format)[:9]))
    assert list(fields) == ["image_base64"]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    image_format=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]),
    at=st.integers(0, 60),
    junk=st.binary(min_size=1, max_size=24),
)
def test_from_base64_of_damaged_bytes_raises_request_errors_only(
    image_format: str, at: int, junk: bytes
) -> None:
    data = image_bytes(image_format)
    broken = data[:at] + junk + data[at + len(junk) :]
    fields = {}
    try:
        ingest_base64(base64_of(broken))
    except RequestError as error:
        fields = error.fields
    assert fields.keys() <= {"image_base64"}


def test_from_base64_of_too_many_pixels_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(monkeypatch, max_pixels=100)
    assert ingest_base64(base64_of(png_header(10, 10) + PNG[33:]))
    fields = errors_of(base64_of(png_header(101, 1) + PNG[33:]))
    assert "101 × 1" in fields["image_base64"]
    assert "pixels" in errors_of(base64_of(png_header(200_000, 200_000) + PNG[33:]))["image_base64"]


# ── file name ──


@pytest.mark.parametrize(
    ("given_name", "filename"),
    [
        ("scan.png", "scan.png"),
        ("/srv/uploads/optional.jpg", "optional.jpg"),
        ("C:\\scans\\a b.png", "a b.png"),
        ("../../etc/passwd", "passwd"),
        ("", "scan.png"),
        (None, "scan.png"),
        ("/", "scan.png"),
        ("dir/", "scan.png"),
        ("a/..", "scan.png"),
        (".", "scan.png"),
        ("a\x00b\r\nc\x7f.png", "abc.png"),
        ("  padded.png ", "padded.png"),
        ("\x1b[31mred.png", "[31mred.png"),
        ("x" * 300, "x" * 255),
        ("Rechnung Größe 发票.png", "Rechnung Größe 发票.png"),
        ("https://example.com/a.png", "a.png"),
    ],
)
def test_filename_is_the_clean_last_component_of_the_name(given_name: str | None, filename: str) -> None:
    assert ingest_base64(base64_of(PNG), name=given_name)[1].filename == filename


def test_filename_without_a_name_has_the_extension_of_the_type() -> None:
    assert ingest_base64(base64_of(image_bytes("JPEG")))[1].filename == "scan.jpg"


# ── storing and removing ──


def test_put_moves_the_staged_file() -> None:
    with ingest.from_base64(base64_of(PNG)) as file:
        storage.put(file.path, "kept/original.png")
    assert (conf.files_dir / "kept" / "original.png").read_bytes() == PNG
    storage.delete("kept/original.png")
    assert not (conf.files_dir / "kept").exists()
    storage.delete("kept/original.png")


def test_staged_file_is_removed_after_an_exception() -> None:
    with suppress(RuntimeError), ingest.from_base64(base64_of(PNG)) as file:
        assert file.path.exists()
        raise RuntimeError
    assert not file.path.exists()


def test_failing_write_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ingest.os, "fsync", full)
    with pytest.raises(StorageFull):
        ingest_base64(base64_of(PNG))


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../outside"])
def test_storage_rejects_keys_outside_its_root(key: str) -> None:
    with pytest.raises(ValueError, match="storage key"):
        storage.delete(key)
    with pytest.raises(ValueError, match="storage key"), storage.local_copy(key):
        pass


def test_staged_file_is_readable_by_its_owner_only() -> None:
    with ingest.from_base64(base64_of(PNG)) as file:
        assert file.path.stat().st_mode & 0o077 == 0
        assert file.path.is_relative_to(conf.staging_dir)


def test_from_path_copies_a_file_of_an_import_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_limits(monkeypatch, import_roots=[tmp_path])
    (tmp_path / "scan.png").write_bytes(PNG)
    with ingest.from_path("scan.png") as file:
        assert file.path.read_bytes() == PNG
        assert file.filename == "scan.png"
    assert (tmp_path / "scan.png").read_bytes() == PNG
    set_limits(monkeypatch, import_roots=[tmp_path], max_upload_bytes=10)
    with pytest.raises(RequestError) as raised, ingest.from_path("scan.png"):
        pass
    assert list(raised.value.fields) == ["image_path"]
