"""What may be asked of a reading, and what is said of the rest."""

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
    """And a Tesseract that reads Russian and English, whatever is installed."""
    changed = msgspec.structs.replace(configuration.conf, engine="rapid")
    monkeypatch.setattr(job_options, "conf", changed)
    monkeypatch.setattr(TesseractEngine, "unavailable_reason", classmethod(lambda _: None))
    monkeypatch.setattr(
        TesseractEngine, "supported_languages", classmethod(lambda _: frozenset({"ru", "en"}))
    )
    for name in ("URL", "MODEL"):
        monkeypatch.delenv(f"SCANRILL_VISION_{name}", raising=False)


def refusal(**asked: Any) -> dict[str, str]:
    with pytest.raises(RequestError) as raised:
        job_options.validate(ReadOptions(**asked))
    return raised.value.fields


@pytest.mark.usefixtures("rapid_by_default")
class TestAsking:
    def test_an_unknown_engine_is_told_the_known_ones(self) -> None:
        error = refusal(engine="magic")
        assert list(error) == ["engine"]
        assert error["engine"] == "There is no reading engine “magic”; known are: rapid, tesseract, vision."

    def test_the_engine_for_tests_does_what_a_page_says_and_is_nobody_s_to_choose(self) -> None:
        assert "dummy" not in refusal(engine="dummy")["engine"].partition(";")[2]

    def test_a_known_engine_that_is_not_set_up_says_what_it_lacks(self) -> None:
        error = refusal(engine="vision")["engine"]
        assert error.startswith("The reading engine “vision” is known, but not installed: ")
        assert "SCANRILL_VISION_URL" in error

    def test_a_language_that_the_engine_does_not_read_is_told_those_it_does(self) -> None:
        error = refusal(engine="rapid", languages=["de", "ru"])
        assert list(error) == ["languages"]
        assert "does not read ru; it reads af (Afrikaans)" in error["languages"]

    def test_a_language_that_no_engine_reads_is_told_all_that_are_read(self) -> None:
        error = refusal(languages=["ko"])["languages"]
        assert error.startswith("No engine that is installed here reads ko")
        assert "ru (Russian)" in error
        assert "de (German)" in error

    @pytest.mark.parametrize("profile", ["none-such", "olmocr"])
    def test_a_profile_that_the_engine_has_not_is_an_error_on_it(self, profile: str) -> None:
        assert list(refusal(profile=profile)) == ["profile"]

    @pytest.mark.parametrize("word", ["ja", "jpn", "az", "ro"])
    def test_a_language_that_the_profile_does_not_read_is_an_error_on_it(self, word: str) -> None:
        error = refusal(engine="rapid", profile="fast", languages=["en", word])
        assert list(error) == ["languages"]
        assert "The profile “fast” does not read" in error["languages"]
        job_options.validate(ReadOptions(engine="rapid", languages=["en", word]))

    @pytest.mark.parametrize("pages", ["0", "x", "3-1"])
    def test_pages_that_are_none_are_an_error_on_them(self, pages: str) -> None:
        assert list(refusal(pages=pages)) == ["pages"]

    @pytest.mark.parametrize(
        ("asked", "engine"),
        [
            (ReadOptions(), "rapid"),
            (ReadOptions(languages=["de"]), "rapid"),
            (ReadOptions(languages=["rus"]), "tesseract"),
            (ReadOptions(languages=["ru", "en"]), "tesseract"),
            (ReadOptions(engine="tesseract", languages=["en"]), "tesseract"),
        ],
    )
    def test_the_configured_engine_reads_what_it_can_and_another_the_rest(
        self, asked: ReadOptions, engine: str
    ) -> None:
        assert job_options.resolve_engine(job_options.validate(asked)) == engine

    def test_pages_are_sent_away_only_where_that_was_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SCANRILL_VISION_URL", "http://127.0.0.1:9/v1")
        monkeypatch.setenv("SCANRILL_VISION_MODEL", "any")
        assert list(refusal(languages=["ko"])) == ["languages"]
        assert (
            job_options.resolve_engine(job_options.validate(ReadOptions(engine="vision", languages=["ko"])))
            == "vision"
        )


def test_the_settings_of_the_vision_engine_are_the_same_in_both_places() -> None:
    ours = configuration.Conf()
    for field in msgspec.structs.fields(vision_config.VisionConfig):
        assert getattr(ours, f"vision_{field.name}") == field.default, field.name
    declared = {name for name in configuration.Conf.__struct_fields__ if name.startswith("vision_")}
    assert declared == {
        f"vision_{field.name}" for field in msgspec.structs.fields(vision_config.VisionConfig)
    }


def test_the_key_is_a_secret() -> None:
    [row] = [
        row
        for row in configuration.describe(configuration.Conf(vision_api_key="canary"))
        if row.variable == "SCANRILL_VISION_API_KEY"
    ]
    assert row.value == "(set)"


# ── in the row ──

pytestmark = pytest.mark.django_db


def created(**asked: Any) -> Upload:
    source = commands.UploadSource(image_base64=base64_of(scripted_png()))
    return commands.create(owner=new_user(), source=source, options=ReadOptions(**asked)).upload


def test_what_is_asked_is_kept_and_comes_with_the_job() -> None:
    upload = created(engine="dummy", languages=["en-GB"], pages="2-3")
    assert (upload.engine, upload.languages) == ("dummy", ["en"])
    held = job_queue.claim_next("reader")
    assert held is not None
    assert held.upload_id == upload.pk
    assert (held.options.engine, held.options.languages) == ("dummy", ("en",))
    assert (held.options.pages, held.options.profile) == ("2-3", "")


def test_what_is_not_asked_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = created(pages="1")
    monkeypatch.setattr(job_options, "conf", msgspec.structs.replace(configuration.conf, engine="rapid"))
    held = job_queue.claim_next("reader")
    assert held is not None
    assert held.options.engine == "rapid"
    assert Upload.objects.get(pk=upload.pk).engine == "rapid"


def test_what_cannot_be_had_stores_nothing() -> None:
    with pytest.raises(RequestError):
        created(engine="magic")
    assert not Upload.objects.exists()
    assert not Job.objects.exists()


def test_bytes_that_come_again_after_an_error_may_ask_anew() -> None:
    owner, image = new_user(), scripted_png()
    source = commands.UploadSource(image_base64=base64_of(image))
    first = commands.create(owner=owner, source=source, options=ReadOptions(engine="dummy", pages="9")).upload
    Upload.objects.filter(pk=first.pk).update(status=Status.ERROR)
    Job.objects.all().delete()
    again = commands.create(owner=owner, source=source, options=ReadOptions(languages=["en"]))
    assert again.duplicate
    held = job_queue.claim_next("reader")
    assert held is not None
    assert (held.options.languages, held.options.pages) == (("en",), "")


def test_a_retry_asks_anew_and_keeps_what_it_does_not_ask() -> None:
    upload = created(engine="dummy", languages=["en"], pages="2")
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    again = commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="1-"))
    assert again.read_options == {"engine": "dummy", "languages": ["en"], "anew": "1-"}
    held = job_queue.claim_next("reader")
    assert held is not None
    assert (held.options.pages, held.options.languages) == ("1-", ("en",))


def asked_after(*retries: ReadOptions, **at_first: Any) -> tuple[dict[str, Any], str]:
    """What stands in the row after a create and retries, and which pages are read."""
    upload = created(**at_first)
    for asked in retries:
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=asked)
    held = job_queue.claim_next("reader")
    assert held is not None
    return Upload.objects.get(pk=upload.pk).read_options, held.options.pages


def test_pages_of_a_retry_are_read_alone_and_are_the_text_s_from_then_on() -> None:
    assert asked_after(ReadOptions(pages="3-4"), pages="1-2,7") == ({"pages": "1-4,7", "anew": "3-4"}, "3-4")


def test_a_retry_without_pages_reads_all_that_the_text_has() -> None:
    assert asked_after(ReadOptions(pages="3-4"), ReadOptions(), pages="1") == ({"pages": "1,3-4"}, "1,3-4")
    assert asked_after(ReadOptions(pages="2"), ReadOptions()) == ({}, "")


def test_the_same_bytes_again_are_read_with_all_the_pages() -> None:
    upload = created(pages="1")
    for _ in range(2):
        commands.cancel(owner=upload.owner, upload_id=upload.pk)
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="2"))
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    source = commands.UploadSource(image_hash=upload.image_hash)
    again = commands.create(owner=upload.owner, source=source).upload
    assert again.read_options == {"pages": "1-2"}


def test_more_single_pages_than_can_be_written_down_are_refused() -> None:
    many = ",".join(str(number) for number in range(1, 130, 2))
    more = ",".join(str(number) for number in range(201, 280, 2))
    with pytest.raises(RequestError) as raised:
        asked_after(ReadOptions(pages=more), pages=many)
    assert list(raised.value.fields) == ["pages"]


def test_a_selection_of_no_page_of_a_known_document_changes_nothing() -> None:
    upload = created()
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    Upload.objects.filter(pk=upload.pk).update(page_count=3)
    with pytest.raises(RequestError) as raised:
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(pages="7-9"))
    assert raised.value.fields == {"pages": "The file has 3 pages; pages 7-9 are not among them."}
    assert Upload.objects.get(pk=upload.pk).status == Status.CANCELLED


def test_a_retry_that_asks_for_what_cannot_be_had_changes_nothing() -> None:
    upload = created()
    commands.cancel(owner=upload.owner, upload_id=upload.pk)
    with pytest.raises(RequestError):
        commands.retry(owner=upload.owner, upload_id=upload.pk, options=ReadOptions(engine="magic"))
    assert Upload.objects.get(pk=upload.pk).status == Status.CANCELLED


def test_another_engine_has_profiles_of_its_own() -> None:
    before = ReadOptions(engine="vision", profile="olmocr", pages="2")
    assert ReadOptions(engine="rapid").merged_with(before) == ReadOptions(engine="rapid", pages="2")
    assert ReadOptions(pages="3").merged_with(before) == ReadOptions(
        engine="vision", profile="olmocr", pages="2", reread_pages="3"
    )
