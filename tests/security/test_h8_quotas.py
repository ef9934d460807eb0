"""H8 - quotas see all that a user stores: corrections, texts, unfinished files, page images and events."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from backend_main.core import event_log, maintenance, storage
from backend_main.core.errors import QuotaExceeded, StorageFull
from backend_main.core.live.replay import EventLogReader
from backend_main.core.models import Event, EventCounter, Page, PageImage, Upload, User
from backend_main.core.storage import disk_space
from backend_main.core.uploads import commands, ingest, page_image_cache, quotas, rows, usage
from tests.support.database import new_upload, new_user
from tests.support.page_images import scripted_png

pytestmark = pytest.mark.django_db

KIB = 1024
Limits = Callable[..., None]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    def set_to(**values: int) -> None:
        for module in (quotas, event_log, page_image_cache, disk_space, rows):
            monkeypatch.setattr(module, "conf", msgspec.structs.replace(module.conf, **values))

    return set_to


@pytest.fixture
def owner() -> User:
    return new_user()


def correct(upload: Upload, text: str) -> Upload:
    return commands.update(owner=upload.owner, upload_id=upload.pk, correction=text)


# ── texts ──


def test_h8_correction_beyond_the_quota_is_refused_and_changes_nothing(owner: User, limits: Limits) -> None:
    upload = new_upload(owner)
    limits(max_bytes_per_user=100 * KIB)
    correct(upload, "é" * 40 * KIB)
    with pytest.raises(QuotaExceeded) as raised:
        correct(upload, "é" * 60 * KIB)
    assert raised.value.fields.keys() == {"processed_text"}
    assert len(Upload.objects.get(pk=upload.pk).correction or "") == 40 * KIB
    correct(upload, "short")
    correct(upload, "é" * 40 * KIB)


def test_h8_corrections_and_metadata_leave_no_space_for_files(owner: User, limits: Limits) -> None:
    upload = new_upload(owner)
    limits(max_bytes_per_user=100 * KIB)
    correct(upload, "x" * 80 * KIB)
    commands.update(owner=owner, upload_id=upload.pk, metadata={"note": "y" * 15 * KIB})
    with pytest.raises(QuotaExceeded):
        new_upload(owner, scripted_png() + bytes(10 * KIB))
    commands.delete(owner=owner, upload_id=upload.pk)
    new_upload(owner, scripted_png() + bytes(10 * KIB))


def test_h8_correction_below_the_free_space_is_storage_full(owner: User, limits: Limits) -> None:
    upload = new_upload(owner)
    limits(min_free_bytes=1 << 60)
    if rows.conf.database_url:
        pytest.skip("the disk of PostgreSQL is another one")
    with pytest.raises(StorageFull) as raised:
        correct(upload, "text")
    assert raised.value.fields.keys() == {"processed_text"}
    commands.update(owner=owner, upload_id=upload.pk, filename="a.png")


def test_h8_sizes_of_earlier_versions_are_counted_by_maintenance(owner: User) -> None:
    upload = new_upload(owner)
    correct(upload, "é" * 1000)
    page = Page.objects.create(
        upload=upload, attempt=1, number=1, width=1, height=1, markdown="ü" * 10, text="t", lines=["l" * 100]
    )
    size = usage.text_bytes(Upload.objects.get(pk=upload.pk))
    Upload.objects.filter(pk=upload.pk).update(text_bytes=None, page_bytes=None)
    EventCounter.objects.filter(owner_id=owner.pk).update(event_bytes=None)
    assert usage.stored_bytes(owner.pk) == upload.bytes
    maintenance.run_all()
    counted = Upload.objects.get(pk=upload.pk)
    assert counted.text_bytes == size
    assert counted.page_bytes is not None
    assert abs(counted.page_bytes - usage.page_bytes(page)) < 5, "PostgreSQL formats JSON with spaces"
    assert usage.stored_bytes(owner.pk) == upload.bytes + size + counted.page_bytes
    assert EventCounter.objects.get(owner_id=owner.pk).event_bytes == event_bytes(owner)


# ── files that are arriving ──


def test_h8_unfinished_files_count_toward_the_quota(owner: User, limits: Limits) -> None:
    limits(max_bytes_per_user=100 * KIB)
    quota = quotas.byte_quota(owner)
    with ingest.open_staged_file("file", expected_bytes=60 * KIB, quota=quota):
        with (
            pytest.raises(QuotaExceeded),
            ingest.open_staged_file("file", expected_bytes=60 * KIB, quota=quota),
        ):
            pass
        with ingest.open_staged_file("file", quota=quota) as writer:
            writer.write(bytes(40 * KIB))
            with pytest.raises(QuotaExceeded):
                writer.write(b"x")


def test_h8_file_larger_than_the_whole_quota_is_refused_before_it_arrives(
    owner: User, limits: Limits
) -> None:
    limits(max_bytes_per_user=100 * KIB)
    quota = quotas.byte_quota(owner)
    with pytest.raises(QuotaExceeded), ingest.open_staged_file("file", expected_bytes=101 * KIB, quota=quota):
        pass


# ── events ──


def event_bytes(owner: User) -> int:
    messages = Event.objects.filter(owner=owner).values_list("message", flat=True)
    return sum(len(message.encode()) + event_log.EVENT_ROW_BYTES for message in messages)


def test_h8_events_beyond_their_bytes_are_dropped_and_resume_gets_the_list(
    owner: User, limits: Limits
) -> None:
    limit = 128 * KIB
    limits(max_event_bytes_per_user=limit)
    upload = new_upload(owner)
    for number in range(40):
        metadata = {"note": f"{number:05d}" * 3 * KIB}
        commands.update(owner=owner, upload_id=upload.pk, metadata=metadata)
        assert event_bytes(owner) <= limit
        assert EventCounter.objects.get(owner=owner).event_bytes == event_bytes(owner)
    reader = EventLogReader()
    newest = event_log.latest_seq(owner.pk)
    kept = list(Event.objects.filter(owner=owner).order_by("seq").values_list("seq", flat=True))
    assert kept == list(range(kept[0], newest + 1)), "the rest has no gap"
    assert len(kept) > 4
    assert not reader.has_all_since(owner.pk, 1)
    assert reader.has_all_since(owner.pk, kept[0] - 1)


def test_h8_quota_of_a_user_limits_the_events_too(limits: Limits) -> None:
    limits(max_event_bytes_per_user=10 * KIB * KIB, max_bytes_per_user=KIB * KIB)
    assert event_log.max_event_bytes() == KIB * KIB
    limits(max_bytes_per_user=1)
    assert event_log.max_event_bytes() == event_log.MIN_EVENT_BYTES
    limits(max_event_bytes_per_user=0, max_bytes_per_user=0)
    assert event_log.max_event_bytes() == 0


# ── page images ──


def stored_images(upload: Upload) -> list[str]:
    names = [f"page-{number}-200.jpg" for number in range(1, 20)]
    return [name for name in names if storage.read_derived(upload.image_path, name) is not None]


def test_h8_images_of_a_user_are_evicted_beyond_their_share(owner: User, limits: Limits) -> None:
    limits(page_image_cache_bytes=4 * 10 * KIB)
    upload, other = new_upload(owner), new_upload(new_user())
    page_image_cache.write(other.image_path, "page-1-200.jpg", bytes(4 * KIB))
    for number in range(1, 6):
        page_image_cache.write(upload.image_path, f"page-{number}-200.jpg", bytes(4 * KIB))
    assert stored_images(upload) == ["page-4-200.jpg", "page-5-200.jpg"]
    assert stored_images(other) == ["page-1-200.jpg"]
    page_image_cache.write(upload.image_path, "page-6-200.jpg", bytes(11 * KIB))
    assert stored_images(upload) == ["page-4-200.jpg", "page-5-200.jpg"], "too large for the cache"


def test_h8_image_used_last_stays(owner: User, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_image_cache, "USED_AT_PRECISION", page_image_cache.USED_AT_PRECISION * 0)
    limits(page_image_cache_bytes=4 * 10 * KIB)
    upload = new_upload(owner)
    for number in (1, 2):
        page_image_cache.write(upload.image_path, f"page-{number}-200.jpg", bytes(4 * KIB))
    page_image_cache.record_use(upload.image_path, "page-1-200.jpg", 4 * KIB)
    page_image_cache.write(upload.image_path, "page-3-200.jpg", bytes(4 * KIB))
    assert stored_images(upload) == ["page-1-200.jpg", "page-3-200.jpg"]


def test_h8_images_of_all_users_are_evicted_beyond_the_cache(limits: Limits) -> None:
    limits(page_image_cache_bytes=40 * KIB)
    uploads = [new_upload(new_user()) for _ in range(6)]
    for upload in uploads:
        page_image_cache.write(upload.image_path, "page-1-200.jpg", bytes(9 * KIB))
    assert [len(stored_images(upload)) for upload in uploads] == [0, 0, 1, 1, 1, 1]


def test_h8_image_of_an_earlier_version_counts_when_it_is_used(owner: User) -> None:
    upload = new_upload(owner)
    storage.write_derived(upload.image_path, "page-1-200.jpg", b"jpeg")
    page_image_cache.record_use(upload.image_path, "page-1-200.jpg", 4)
    assert PageImage.objects.get(upload_id=upload.pk).bytes == 4


def test_h8_deleted_upload_has_no_images(owner: User) -> None:
    upload = new_upload(owner)
    page_image_cache.write(upload.image_path, "page-1-200.jpg", b"jpeg")
    commands.delete(owner=owner, upload_id=upload.pk)
    page_image_cache.write(upload.image_path, "page-2-200.jpg", b"jpeg")
    assert not PageImage.objects.filter(upload_id=upload.pk).exists()
    assert stored_images(upload) == []
