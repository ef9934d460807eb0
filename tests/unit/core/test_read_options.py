"""Tests of read options: validation, choice of the engine, and the stored values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from backend_main.core import conf as configuration
from backend_main.core.errors import RequestError
from backend_main.core.jobs import options as job_options
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs.options import ReadOptions
from backend_main.core.models import Job, Status, Upload
from backend_main.core.uploads import commands
from backend_main.reading.engines.tesseract import TesseractEngine
from backend_main.reading.engines.vision import config as vision_config
from tests.support.database import new_user
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png


@pytest.fixture
def rapid_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure rapid, and a Tesseract that supports Russian and English, whatever is installed."""
    changed = msgspec.structs.replace(configuration.conf, engine="rapid")
    monkeypatch.setattr(job_options, "conf", changed)
    monkeypatch.setattr(TesseractEngine, "unavailable_reason", classmethod(lambda _: None))
    monkeypatch.setattr(
        TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"ru", "en"}))
    )
    for name in ("URL", "MODEL"):
        monkeypatch.delenv(f"SCANRILL_VISION_{name}", raising=False)


def validation_error(**options: Any) -> dict[str, str]:
    with pytest.raises(RequestError) as raised:
        job_options.validate(ReadOptions(**options))
    return raised.value.fields


@pytest.mark.usefixtures("rapid_by_default")
class TestValidate:
    def test_unknown_engine_error_lists_available_engines(self) -> None:
        error = validation_error(engine="magic")
        assert list(error) == ["engine"]
        assert error["engine"] == "Unknown engine “magic”. Available: rapid, tesseract, vision."

    def test_test_engine_is_not_selectable(self) -> None:
        assert "dummy" not in validation_error(engine="dummy")["engine"].partition("Available")[2]

    def test_unavailable_engine_error_names_the_missing_setting(self) -> None:
        error = validation_error(engine="vision")["engine"]
        assert error.startswith("The engine “vision” is not available here: ")
        assert "SCANRILL_VISION_URL" in error

    def test_unsupported_language_error_lists_those_of_the_engine(self) -> None:
        error = validation_error(engine="rapid", languages=["de", "ru"])
        assert list(error) == ["languages"]
        assert "does not read ru; it reads af (Afrikaans)" in error["languages"]

    def test_unsupported_language_error_lists_those_of_all_engines(self) -> None:
        error = validation_error(languages=["ko"])["languages"]
        assert error.startswith("No engine installed here reads ko")
        assert "ru (Russian)" in error
        assert "de (German)" in error

    @pytest.mark.parametrize("profile", ["none-such", "olmocr"])
    def test_unknown_profile_is_an_error_on_profile(self, profile: str) -> None:
        assert list(validation_error(profile=profile)) == ["profile"]

    @pytest.mark.parametrize("word", ["ja", "jpn", "az", "ro"])
    def test_language_unknown_to_the_profile_is_an_error_on_languages(self, word: str) -> None:
        error = validation_error(engine="rapid", profile="fast", languages=["en", word])
        assert list(error) == ["languages"]
        assert "The profile “fast” does not read" in error["languages"]
        job_options.validate(ReadOptions(engine="rapid", languages=["en", word]))

    @pytest.mark.parametrize("pages", ["0", "x", "3-1"])
    def test_invalid_page_ranges_are_an_error_on_pages(self, pages: str) -> None:
        assert list(validation_error(pages=pages)) == ["pages"]

    @pytest.mark.parametrize(
        ("options", "engine"),
        [
            (ReadOptions(), "rapid"),
            (ReadOptions(languages=["de"]), "rapid"),
            (ReadOptions(languages=["rus"]), "tesseract"),
            (ReadOptions(languages=["ru", "en"]), "tesseract"),
            (ReadOptions(engine="tesseract", languages=["en"]), "tesseract"),
        ],
    )
    def test_resolve_engine_prefers_the_configured_engine(self, options: ReadOptions, engine: str) -> None:
        job_options.validate(options)
        assert job_options.resolve_engine(options) == engine

    def test_resolve_engine_selects_a_remote_engine_only_by_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SCANRILL_VISION_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("SCANRILL_VISION_MODEL", "any")
        assert list(validation_error(languages=["ko"])) == ["languages"]
        options = ReadOptions(engine="vision", languages=["ko"])
        job_options.validate(options)
        assert job_options.resolve_engine(options) == "vision"


def test_vision_settings_match_the_fields_of_vision_config() -> None:
    ours = configuration.Conf()
    for field in msgspec.structs.fields(vision_config.VisionConfig):
        assert getattr(ours, f"vision_{field.name}") == field.default, field.name
    declared = {name for name in configuration.Conf.__struct_fields__ if name.startswith("vision_")}
    assert declared == {
        f"vision_{field.name}" for field in msgspec.structs.fields(vision_config.VisionConfig)
    }


def test_vision_api_key_is_a_secret() -> None:
    [row] = [
        row
        for row in configuration.describe(configuration.Conf(vision_api_key="canary"))
        if row.variable == "SCANRILL_VISION_API_KEY"
    ]
    assert row.value == "(set)"


# ── stored options ──

pytestmark = pytest.mark.django_db


def create_upload(**options: Any) -> Upload:
    source = commands.UploadSource(image_base64=base64_of(scripted_png()))
    return commands.create(owner=new_user(), source=source, options=ReadOptions(**options)).upload


def test_create_stores_read_options_and_the_claim_has_them() -> None:
    upload = create_upload(engine="dummy", languages=["en-GB"], pages="2-3")
    assert (upload.engine, upload.languages) == ("dummy", ["en"])
    claim = job_queue.claim_next("reader")
    assert claim is not None
    assert claim.upload_id == upload.pk
    assert (claim.options.engine, claim.options.languages) == ("dummy", ("en",))
    assert (claim.options.pages, claim.options.profile) == ("2-3", "")


def test_unnamed_read_options_follow_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = create_upload(pages="1")
    monkeypatch.setattr(job_options, "conf", msgspec.structs.replace(configuration.conf, engine="rapid"))
    claim = job_queue.claim_next("reader")
    assert claim is not None
    assert claim.options.engine == "rapid"
    assert Upload.objects.get(pk=upload.pk).engine == "rapid"


def test_create_with_an_impossible_option_stores_nothing() -> None:
    with pytest.raises(RequestError):
        create_upload(engine="magic")
    assert not Upload.objects.exists()
    assert not Job.objects.exists()


def test_create_of_a_failed_duplicate_replaces_read_options() -> None:
    owner, image = new_user(), scripted_png()
    source = commands.UploadSource(image_base64=base64_of(image))
    first = commands.create(owner=owner, source=source, options=ReadOptions(engine="dummy", pages="9")).upload
    Upload.objects.filter(pk=first.pk).update(status=Status.ERROR)
    Job.objects.all().delete()
    retried = commands.create(owner=owner, source=source, options=ReadOptions(languages=["en"]))
    assert retried.duplicate
    claim = job_queue.claim_next("reader")
    assert claim is not None
    assert (claim.options.languages, claim.options.pages) == (("en",), "")


def test_retry_keeps_unnamed_read_options() -> None:
    upload = create_upload(engine="dummy", languages=["en"], pages="2")
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    retried = commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="1-"))
    assert retried.read_options == {"engine": "dummy", "languages": ["en"], "anew": "1-"}
    claim = job_queue.claim_next("reader")
    assert claim is not None
    assert (claim.options.pages, claim.options.languages) == ("1-", ("en",))


def stored_after(*retries: ReadOptions, **first_options: Any) -> tuple[dict[str, Any], str]:
    """Return the stored options after a create and retries, and the pages to read."""
    upload = create_upload(**first_options)
    for options in retries:
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=options)
    claim = job_queue.claim_next("reader")
    assert claim is not None
    return Upload.objects.get(pk=upload.pk).read_options, claim.options.pages


def test_retry_with_pages_reads_them_alone_and_adds_them_to_the_text() -> None:
    assert stored_after(ReadOptions(pages="3-4"), pages="1-2,7") == ({"pages": "1-4,7", "anew": "3-4"}, "3-4")


def test_retry_without_pages_reads_all_pages_of_the_text() -> None:
    assert stored_after(ReadOptions(pages="3-4"), ReadOptions(), pages="1") == ({"pages": "1,3-4"}, "1,3-4")
    assert stored_after(ReadOptions(pages="2"), ReadOptions()) == ({}, "")


def test_create_of_a_cancelled_duplicate_reads_all_pages_of_the_text() -> None:
    upload = create_upload(pages="1")
    for _ in range(2):
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="2"))
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    source = commands.UploadSource(image_hash=upload.image_hash)
    retried = commands.create(owner=upload.owner, source=source).upload
    assert retried.read_options == {"pages": "1-2"}


def test_retry_with_too_many_page_ranges_is_an_error_on_pages() -> None:
    stored_pages = ",".join(str(number) for number in range(1, 130, 2))
    new_pages = ",".join(str(number) for number in range(201, 280, 2))
    with pytest.raises(RequestError) as raised:
        stored_after(ReadOptions(pages=new_pages), pages=stored_pages)
    assert list(raised.value.fields) == ["pages"]


def test_retry_with_pages_after_the_last_page_changes_nothing() -> None:
    upload = create_upload()
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    Upload.objects.filter(pk=upload.pk).update(page_count=3)
    with pytest.raises(RequestError) as raised:
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="7-9"))
    assert raised.value.fields == {"pages": "The file has 3 pages; pages 7-9 are not among them."}
    assert Upload.objects.get(pk=upload.pk).status == Status.CANCELLED


def test_retry_with_an_impossible_option_changes_nothing() -> None:
    upload = create_upload()
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    with pytest.raises(RequestError):
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(engine="magic"))
    assert Upload.objects.get(pk=upload.pk).status == Status.CANCELLED


def test_furniture_is_stored_and_part_of_the_claim_until_a_retry_changes_it() -> None:
    upload = create_upload(furniture="keep")
    assert upload.read_options == {"furniture": "keep"}
    assert upload.engine == "", "furniture does not select an engine"
    assert stored_after(ReadOptions(pages="1"), furniture="keep")[0] == {"furniture": "keep", "anew": "1"}
    assert stored_after(ReadOptions(furniture="drop"), furniture="keep")[0] == {"furniture": "drop"}


@pytest.mark.parametrize(
    ("options", "furniture"), [(ReadOptions(), "drop"), (ReadOptions(furniture="keep"), "keep")]
)
def test_engine_options_pass_furniture_on(options: ReadOptions, furniture: str) -> None:
    assert job_options.engine_options(options, "dummy").furniture == furniture


def test_formulas_is_stored_without_an_engine_and_passed_on() -> None:
    upload = create_upload(formulas="vision")
    assert (upload.read_options, upload.engine) == ({"formulas": "vision"}, "")
    assert stored_after(ReadOptions(formulas="text"), formulas="vision")[0] == {"formulas": "text"}
    passed = [
        job_options.engine_options(options, "dummy").formulas
        for options in (ReadOptions(), ReadOptions(formulas="vision"))
    ]
    assert passed == ["text", "vision"]


def test_barcodes_is_stored_without_an_engine_and_passed_on() -> None:
    upload = create_upload(barcodes=True)
    assert (upload.read_options, upload.engine) == ({"barcodes": True}, "")
    assert stored_after(ReadOptions(barcodes=False), barcodes=True)[0] == {"barcodes": False}
    passed = [
        job_options.engine_options(options, "dummy").barcodes
        for options in (ReadOptions(), ReadOptions(barcodes=True))
    ]
    assert passed == [False, True]


def test_merged_with_drops_the_profile_of_another_engine() -> None:
    before = ReadOptions(engine="vision", profile="olmocr", pages="2")
    assert ReadOptions(engine="rapid").merged_with(before) == ReadOptions(engine="rapid", pages="2")
    assert ReadOptions(pages="3").merged_with(before) == ReadOptions(
        engine="vision", profile="olmocr", pages="2", reread_pages="3"
    )
