"""Untrusted base64 and files → complete, hashed files of a known kind; a failure leaves nothing."""

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
def nothing_left_behind() -> Iterator[None]:
    yield
    assert not list(conf.staging_dir.iterdir())


def picture(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "white").save(buffer, form)
    return buffer.getvalue()


def received(text: str, name: str | None = None) -> tuple[bytes, ingest.StagedFile]:
    with ingest.from_base64(text, name=name) as file:
        return file.path.read_bytes(), file


def refused(text: str) -> dict[str, str]:
    with pytest.raises(RequestError) as raised:
        received(text)
    return raised.value.fields


def limited(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    monkeypatch.setattr(ingest, "conf", msgspec.structs.replace(conf, **changes))


# ── base64 ──


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 10**6])
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_the_bytes_are_the_same_wherever_the_text_is_cut(
    piece: int, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", piece)
    data = PNG[: len(PNG) - cut]  # all three forms of padding
    found, file = received(base64_of(data))
    assert found == data
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert file.bytes == len(data)


@pytest.mark.parametrize("piece", [1, 3, 4, 6, 76, 77])
def test_white_space_and_a_data_url_prefix_are_fine(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", piece)
    wrapped = base64.encodebytes(PNG).decode().replace("\n", " \r\n\t")
    assert received(wrapped)[0] == PNG
    assert received("data:image/png;base64," + wrapped)[0] == PNG
    assert received(" data:image/png;charset=utf-8;base64,\n" + wrapped + "\n\n")[0] == PNG


TEXTS = st.text(alphabet="ABcd01+/=- \n\té", max_size=40) | st.binary(max_size=40).map(base64_of)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, piece=st.integers(1, 12))
def test_what_is_decoded_is_what_the_standard_library_decodes(text: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "CHUNK_CHARACTERS", piece)
        try:
            found: bytes | None = b"".join(ingest._iter_decoded(Base64Text(text)))
        except RequestError:
            found = None
        assert found == strictly_decoded("".join(text.split()))


def strictly_decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if is_base64(text) else None
    except (binascii.Error, ValueError):
        return None


def is_base64(text: str) -> bool:
    """The standard library forgives `=` after the padding; RFC 4648 does not."""
    body = text.rstrip("=")
    return len(text) % 4 == 0 and "=" not in body and len(text) - len(body) <= 2


@pytest.mark.parametrize("piece", [1, 4, 5, 8, 100])
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
def test_what_is_no_base64_is_an_error_on_image_base64(
    text: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", piece)
    fields = refused(text)
    assert list(fields) == ["image_base64"]
    assert fields["image_base64"].startswith("Invalid base64 encoding: ")


@pytest.mark.parametrize("text", ["", " \n", "data:image/png;base64,", "data:;base64, "])
def test_no_bytes_at_all_are_an_error(text: str) -> None:
    assert refused(text) == {"image_base64": "The file is empty."}


# ── the size ──


def test_a_file_of_the_largest_size_is_taken_and_one_byte_more_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limited(monkeypatch, max_upload_bytes=len(PNG))
    assert received(base64_of(PNG))[0] == PNG
    limited(monkeypatch, max_upload_bytes=len(PNG) - 1)
    fields = refused(base64_of(PNG))
    assert list(fields) == ["image_base64"]
    assert str(len(PNG) - 1) in fields["image_base64"]


def test_without_a_limit_any_size_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, max_upload_bytes=0)
    assert received(base64_of(PNG + b"\0" * 5_000_000))[1].bytes == len(PNG) + 5_000_000


def test_no_more_is_decoded_than_the_limit_and_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, max_upload_bytes=1000)
    monkeypatch.setattr(ingest, "CHUNK_CHARACTERS", 4000)
    decoded: list[int] = []
    decode = ingest._decode_chunk
    monkeypatch.setattr(ingest, "_decode_chunk", lambda piece: decoded.append(len(piece)) or decode(piece))
    refused(base64_of(b"\0" * 10_000_000))
    assert sum(decoded) <= 8000


# ── the kind ──


@pytest.mark.parametrize(
    ("form", "content_type", "extension"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("WEBP", "image/webp", "webp"),
        ("GIF", "image/gif", "gif"),
        ("BMP", "image/bmp", "bmp"),
        ("TIFF", "image/tiff", "tif"),
    ],
)
def test_the_kind_is_what_the_content_says(form: str, content_type: str, extension: str) -> None:
    _, file = received(base64_of(picture(form)), name="claims-to-be.pdf")
    assert (file.kind.content_type, file.kind.extension) == (content_type, extension)


@pytest.mark.parametrize("before", [0, 1, 500, 1019])
def test_a_pdf_may_have_a_few_bytes_before_its_header(before: int) -> None:
    assert received(base64_of(b"\n" * before + b"%PDF-1.7\n"))[1].kind.extension == "pdf"


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
def test_what_is_no_supported_format_is_refused(data: bytes) -> None:
    fields = refused(base64_of(data))
    assert list(fields) == ["image_base64"]
    assert "PNG" in fields["image_base64"]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_broken_header_is_refused(form: str) -> None:
    fields = refused(base64_of(picture(form)[:9]))
    assert list(fields) == ["image_base64"]


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]),
    at=st.integers(0, 60),
    junk=st.binary(min_size=1, max_size=24),
)
def test_bytes_that_are_broken_anywhere_are_taken_or_refused_and_nothing_else(
    form: str, at: int, junk: bytes
) -> None:
    data = picture(form)
    broken = data[:at] + junk + data[at + len(junk) :]
    fields = {}
    try:
        received(base64_of(broken))
    except RequestError as error:
        fields = error.fields
    assert fields.keys() <= {"image_base64"}


def test_an_image_with_too_many_pixels_is_refused_from_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, max_pixels=100)
    assert received(base64_of(png_header(10, 10) + PNG[33:]))
    fields = refused(base64_of(png_header(101, 1) + PNG[33:]))
    assert "101 × 1" in fields["image_base64"]
    assert "pixels" in refused(base64_of(png_header(200_000, 200_000) + PNG[33:]))["image_base64"]


# ── the name ──


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
def test_a_name_is_only_a_name(given_name: str | None, filename: str) -> None:
    assert received(base64_of(PNG), name=given_name)[1].filename == filename


def test_the_name_says_what_came_where_none_was_given() -> None:
    assert received(base64_of(picture("JPEG")))[1].filename == "scan.jpg"


# ── keeping and losing ──


def test_a_file_that_was_kept_is_no_longer_incoming() -> None:
    with ingest.from_base64(base64_of(PNG)) as file:
        storage.put(file.path, "kept/original.png")
    assert (conf.files_dir / "kept" / "original.png").read_bytes() == PNG
    storage.delete("kept/original.png")
    assert not (conf.files_dir / "kept").exists()
    storage.delete("kept/original.png")


def test_a_file_that_nobody_kept_is_gone_also_when_its_user_raises() -> None:
    with suppress(RuntimeError), ingest.from_base64(base64_of(PNG)) as file:
        assert file.path.exists()
        raise RuntimeError
    assert not file.path.exists()


def test_a_write_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ingest.os, "fsync", full)
    with pytest.raises(StorageFull):
        received(base64_of(PNG))


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../outside"])
def test_a_key_outside_the_storage_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="storage key"):
        storage.delete(key)
    with pytest.raises(ValueError, match="storage key"), storage.local_copy(key):
        pass


def test_an_incoming_file_is_readable_by_its_owner_only() -> None:
    with ingest.from_base64(base64_of(PNG)) as file:
        assert file.path.stat().st_mode & 0o077 == 0
        assert file.path.is_relative_to(conf.staging_dir)


def test_a_copy_from_an_import_root_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, import_roots=[tmp_path])
    (tmp_path / "scan.png").write_bytes(PNG)
    with ingest.from_path("scan.png") as file:
        assert file.path.read_bytes() == PNG
        assert file.filename == "scan.png"
    assert (tmp_path / "scan.png").read_bytes() == PNG
    limited(monkeypatch, import_roots=[tmp_path], max_upload_bytes=10)
    with pytest.raises(RequestError) as raised, ingest.from_path("scan.png"):
        pass
    assert list(raised.value.fields) == ["image_path"]
