"""Database tables. Constraints enforce every invariant that the database can check."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class User(AbstractUser):
    """User of the server.

    Tokens from before `tokens_valid_from` are invalid: the user signed out everywhere or has a new password.
    `last_served_at` is the mark of the user's recent reader time: see `jobs.reader_time`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tokens_valid_from = models.DateTimeField(null=True, blank=True)
    last_served_at = models.DateTimeField(null=True, blank=True, editable=False)

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        if not self._state.adding:
            self.revoke_tokens()

    def revoke_tokens(self) -> None:
        """Invalidate all tokens issued so far. The caller saves the user."""
        self.tokens_valid_from = timezone.now()


class SignInCode(models.Model):
    """Single-use sign-in link of a user. The row has a hash; only the link has the code itself."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"code for {self.user_id}"


class Session(models.Model):
    """Sign-in of a user on one device. The rows have hashes of refresh tokens only.

    generation: number of refreshes so far.
    token_digest: hash of the refresh token that is valid.
    previous_digest: hash of the one before it, which is accepted for a short time.
    rotated_at: time of the last refresh, or of the sign-in.
    address, user_agent: of the client at that time, for the user's list of sessions.
    ended_at: the time of the sign-out; access tokens of the session are invalid from then on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    generation = models.PositiveIntegerField(default=0)
    token_digest = models.CharField(max_length=64)
    previous_digest = models.CharField(max_length=64, default="", blank=True)
    address = models.CharField(max_length=64, default="", blank=True)
    user_agent = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    rotated_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"session of {self.user_id}"


class KeyScope(models.TextChoices):
    """Scope of an API key; `write` includes `read`."""

    READ = "read"
    WRITE = "write"


class ApiKey(models.Model):
    """API key of a user: a credential for programs. The row has a hash; only the user has the key.

    prefix: beginning of the key, by which the user recognizes it.
    digest: SHA-256 of the key (`auth.api_keys` has the reason).
    expires_at: None: the key does not expire.
    last_used_at: written once a minute at most.
    revoked_at: None: the key is in use.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=5, choices=KeyScope.choices, default=KeyScope.WRITE)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=models.Q(revoked_at=None),
                name="api_key_name_once_per_owner",
            ),
            models.CheckConstraint(condition=models.Q(scope__in=KeyScope.values), name="api_key_scope_known"),
        ]

    def __str__(self) -> str:
        return f"key {self.prefix} of {self.owner_id}"


class Status(models.TextChoices):
    """Status of an upload."""

    PENDING = "pending"
    PROCESSING = "processing"
    PROCESSED = "processed"
    ERROR = "error"
    CANCELLED = "cancelled"


# Database default, because an older program beside this one inserts rows without the column: see
# docs/decisions/0090.
NO_OPTIONS = models.Value({}, models.JSONField())


class UploadQuerySet(models.QuerySet["Upload"]):
    def owned_by(self, user: User) -> Self:
        """Return the user's uploads. Every read for a user starts here."""
        return self.filter(owner=user)


class Upload(models.Model):
    """One file of one user, with its status and texts.

    attempt: number of claims of its jobs so far.
    first_attempt: attempt that began the current reading.
    read_options: what the user requested, as `jobs.options.ReadOptions`; `engine` is the engine in use.
    reading_number, latest_reading_number: numbers of the current reading and of the newest (`Reading`).
    confidence, uncertain_share: grade of the current reading, as `reading.Grade`; None: no page has one.
    warning_codes: codes of the warnings of all pages, each between two spaces; None: not known.
    text_bytes, page_bytes: sizes of its own texts and of its pages; None: not counted (`uploads.usage`).
    error_code: what kind of error ended the reading, as `errors.READING_ERROR_CODES`; None: no error.
    expires_at: time when maintenance deletes the upload; None: never.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="uploads")
    filename = models.CharField(max_length=255)
    image_path = models.CharField(max_length=255)
    image_hash = models.CharField(max_length=64)
    content_type = models.CharField(max_length=100)
    bytes = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    error = models.TextField(null=True)  # noqa: DJ001 - null: no error
    error_code = models.CharField(max_length=30, null=True)  # noqa: DJ001 - null: no error
    attempt = models.PositiveIntegerField(default=0)
    first_attempt = models.PositiveIntegerField(default=0, db_default=0, db_column="run")
    page_count = models.PositiveIntegerField(null=True)
    pages_done = models.PositiveIntegerField(default=0)
    engine = models.CharField(max_length=50, default="", blank=True)
    languages = models.JSONField(default=list)
    read_options = models.JSONField(default=dict, db_default=NO_OPTIONS, db_column="asked")
    metadata = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    raw_text = models.TextField(default="", blank=True)
    plain_text = models.TextField(default="", blank=True, db_column="reading_text")
    correction = models.TextField(null=True)  # noqa: DJ001 - null: no correction
    text_bytes = models.BigIntegerField(null=True)
    page_bytes = models.BigIntegerField(null=True)
    reading_number = models.PositiveIntegerField(default=1, db_default=1)
    latest_reading_number = models.PositiveIntegerField(default=1, db_default=1)
    confidence = models.FloatField(null=True)
    uncertain_share = models.FloatField(null=True)
    warning_codes = models.TextField(null=True)  # noqa: DJ001 - null: not known
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "image_hash"], name="upload_once_per_owner"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="upload_status_known"),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="upload_newest_first"),
            models.Index(fields=["owner", "status", "-created_at", "-id"], name="upload_of_status"),
            models.Index(fields=["owner", "-updated_at", "-id"], name="upload_changed_last"),
            models.Index(fields=["owner", "filename", "id"], name="upload_by_name"),
            models.Index(
                fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="upload_expiring"
            ),
            # It has all columns of the sum, which would otherwise read past the texts of each row.
            models.Index(fields=["owner", "bytes", "text_bytes", "page_bytes"], name="upload_usage"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.status})"

    @property
    def processed_text(self) -> str:
        """A person's correction, or else the plain text."""
        return self.plain_text if self.correction is None else self.correction


class PageContent(models.Model):
    """Base of a finished page, of the current reading or of an earlier one.

    The lines have boxes and confidences, so an export needs no second reading.

    lines, blocks, warnings: fields of `reading.Line`, `reading.Block` and `reading.PageWarning`.
    words: packed words of the lines. `blocks` and `words` are None for pages of earlier versions.
    correction: a person's text in place of `text`, with the name of the user and the time.
    grade: fields of `reading.Grade`; None: not known.
    seconds: time that a reader took for the page; None: not known.
    """

    number = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    markdown = models.TextField(blank=True)
    text = models.TextField(blank=True)
    lines = models.JSONField(default=list)
    blocks = models.JSONField(null=True)
    words = models.BinaryField(null=True)
    warnings = models.JSONField(default=list)
    correction = models.TextField(null=True)  # noqa: DJ001 - null: no correction
    corrected_by = models.CharField(max_length=150, default="", db_default="", blank=True)
    corrected_at = models.DateTimeField(null=True)
    grade = models.JSONField(null=True)
    seconds = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    @property
    def processed_text(self) -> str:
        """A person's correction, or else the plain text."""
        return self.text if self.correction is None else self.correction

    @property
    def page_warnings(self) -> list[dict[str, Any]]:
        """The warnings with all their fields. Earlier versions stored sentences."""
        return [
            warning
            if isinstance(warning, dict)
            else {"code": "unspecified", "message": warning, "boxes": [], "share": None}
            for warning in self.warnings
        ]


class Page(PageContent):
    """Finished page of the current reading of an upload."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pages")
    attempt = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="page_once_per_upload")]

    def __str__(self) -> str:
        return f"page {self.number} of {self.upload_id}"


class Reading(models.Model):
    """Earlier reading of an upload. The current one is the upload itself: see `uploads.readings`.

    upload_id: not a foreign key, because an older program beside this one deletes uploads.
    """

    upload_id = models.UUIDField()
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices)
    error = models.TextField(null=True)  # noqa: DJ001 - null: no error
    error_code = models.CharField(max_length=30, null=True)  # noqa: DJ001 - null: no error
    engine = models.CharField(max_length=50, default="", blank=True)
    languages = models.JSONField(default=list)
    read_options = models.JSONField(default=dict)
    page_count = models.PositiveIntegerField(null=True)
    confidence = models.FloatField(null=True)
    uncertain_share = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload_id", "number"], name="reading_once_per_upload")
        ]

    def __str__(self) -> str:
        return f"reading {self.number} of {self.upload_id}"


class ReadingPage(PageContent):
    """Finished page of an earlier reading."""

    reading = models.ForeignKey(Reading, on_delete=models.CASCADE, related_name="pages")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reading", "number"], name="page_once_per_reading")]

    def __str__(self) -> str:
        return f"page {self.number} of {self.reading_id}"


class KeptCorrection(models.Model):
    """Correction of a page that waits to be read again; it goes back to the page when that is finished.

    upload_id: not a foreign key, because an older program beside this one deletes uploads.
    read_text: text of the page that the person corrected.
    """

    upload_id = models.UUIDField()
    number = models.PositiveIntegerField()
    correction = models.TextField(blank=True)
    read_text = models.TextField(blank=True)
    corrected_by = models.CharField(max_length=150, default="", blank=True)
    corrected_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload_id", "number"], name="kept_correction_once")]

    def __str__(self) -> str:
        return f"correction of page {self.number} of {self.upload_id}"


class SearchEntry(models.Model):
    """Words of one page, of the name of an upload, or of its correction, for the index of `core.search`.

    The database deletes entries with their page or upload, and keeps the index itself by triggers: see
    `migrations/0018_search.py`. The foreign keys are unknown to Django, because an older program beside this
    one deletes uploads.

    scope: beginning of each token in the index: eight digits of the owner's id, and a letter for what it is.
    words: folded tokens, each after a space. An entry never changes; a new one replaces it.
    """

    owner_id = models.UUIDField()
    upload_id = models.UUIDField()
    page_id = models.BigIntegerField(null=True)
    scope = models.CharField(max_length=9)
    words = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["upload_id"], name="core_searchentry_upload")]
        constraints = [
            models.UniqueConstraint(
                fields=["page_id"], condition=models.Q(page_id__isnull=False), name="core_searchentry_page"
            ),
            models.UniqueConstraint(
                fields=["upload_id", "scope"], condition=models.Q(page_id=None), name="core_searchentry_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} of {self.upload_id}"


class PageImage(models.Model):
    """Rendered image of a page in the storage, for the limits of the cache (`uploads.page_image_cache`).

    owner_id, upload_id: not foreign keys, because an older program beside this one deletes uploads.
    """

    owner_id = models.UUIDField()
    upload_id = models.UUIDField()
    key = models.CharField(max_length=255)
    name = models.CharField(max_length=100)
    bytes = models.BigIntegerField()
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload_id", "name"], name="page_image_once")]
        indexes = [
            models.Index(fields=["used_at"], name="page_image_oldest"),
            models.Index(fields=["owner_id", "used_at"], name="page_image_oldest_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.upload_id}"


class IdempotencyKey(models.Model):
    """Key of a request that a client may repeat, with what the request did (`uploads.idempotency`).

    owner_id, upload_id: not foreign keys, because an older program beside this one deletes users and uploads.
    digest: SHA-256 of the request that the key belongs to.
    upload_id: None while the request is being carried out.
    is_duplicate: whether the user had the bytes before the request.
    """

    owner_id = models.UUIDField()
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    upload_id = models.UUIDField(null=True)
    is_duplicate = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner_id", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_oldest")]

    def __str__(self) -> str:
        return f"{self.key} of {self.owner_id}"


class Job(models.Model):
    """Range of pages that remain to be read. The table is the job queue; a finished job is deleted.

    attempt: fencing number; a reader with an older one cannot write.
    priority: 0 for interactive jobs, a higher number for batch jobs.
    failures: number of readers that died without progress.
    claimed_by: name of the reader; empty if the job is not claimed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="jobs")
    first_page = models.PositiveIntegerField(default=1)
    last_page = models.PositiveIntegerField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    priority = models.PositiveSmallIntegerField(default=0, db_default=0)
    failures = models.PositiveIntegerField(default=0)
    claimed_by = models.CharField(max_length=100, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "first_page"], name="job_once_per_page_range"),
            models.CheckConstraint(
                condition=models.Q(last_page=None) | models.Q(last_page__gte=models.F("first_page")),
                name="job_pages_in_order",
            ),
        ]
        indexes = [models.Index(fields=["claimed_by", "created_at"], name="job_next")]

    def __str__(self) -> str:
        return f"job of {self.upload_id} from page {self.first_page}"


class EventLog(models.Model):
    """Name of the event log, in a single row.

    A cursor is valid for one `epoch` only: after a backup is restored, older cursors are invalid.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    epoch = models.CharField(max_length=16)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="event_log_is_one")]

    def __str__(self) -> str:
        return self.epoch


class EventCounter(models.Model):
    """Number of an owner's newest event. The row is locked until the event with that number is committed.

    event_bytes: size of the messages of the owner's events; None: not counted.
    """

    owner = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    seq = models.BigIntegerField(default=0)
    event_bytes = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.seq} events of {self.owner_id}"


class Event(models.Model):
    """Committed change of an upload: its message as JSON, without the two texts.

    seq: number of the owner's event, without gaps, in the order of the commits.
    attempt: attempt of the upload at that time.
    upload_id: not a foreign key, because events outlive a deleted upload.
    origin_connection: connection that made the change; it receives a reply instead of the event.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    upload_id = models.UUIDField()
    attempt = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    message = models.TextField()
    origin_connection = models.CharField(max_length=32, default="", blank=True, db_column="origin")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "seq"], name="event_seq_once")]
        indexes = [models.Index(fields=["created_at"], name="event_oldest")]

    def __str__(self) -> str:
        return f"event {self.seq} of {self.owner_id}: {self.kind}"


from . import integration_models  # noqa: E402, F401 - Django finds the tables here
