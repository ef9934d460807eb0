"""Every setting of scanrill, each declared once: name, type, default and help.

A field `max_upload_bytes` is set by the environment variable `SCANRILL_MAX_UPLOAD_BYTES`. The command
`scanrill settings`, the documentation and the tests read this module; nothing else names a default.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from .errors import CommandError

PREFIX = "SCANRILL_"
_SECRET = {"secret": True}


def _default_data_dir() -> Path:
    """The XDG data directory, so that every command of one user finds the same data."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "scanrill"


_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as 90s, 15m, 24h, 7d, or of a bare number of seconds.

    Raises:
        ValueError: the text is not a duration above 0.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", text.strip())
    if match is None or not (seconds := float(match[1]) * _UNIT_SECONDS[match[2]]):
        raise ValueError("a number and s, m, h or d are expected, as in 15m")
    return seconds


class Duration(float):
    """Seconds; written as a number of them, or as 90s, 15m, 24h, 7d."""

    @property
    def timedelta(self) -> dt.timedelta:
        return dt.timedelta(seconds=self)


class Conf(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force. Lists are written with commas, directories with colons."""

    data_dir: Annotated[
        Path, Meta(description="Where the database, the files and the secret key are kept.")
    ] = msgspec.field(default_factory=_default_data_dir)
    secret_key: Annotated[
        str, Meta(description="Signs tokens. Empty: a key of its own in the data directory.", extra=_SECRET)
    ] = ""
    allowed_hosts: Annotated[
        list[str], Meta(description="Host names the server answers to, beside those of the loopback.")
    ] = msgspec.field(default_factory=list)
    allowed_origins: Annotated[
        list[str],
        Meta(
            description="Web origins (scheme://host:port) whose pages may connect, beside the server's own."
        ),
    ] = msgspec.field(default_factory=list)
    max_upload_bytes: Annotated[
        int, Meta(description="Largest image or PDF, in bytes; 0 = unlimited.", ge=0)
    ] = 1024**3
    max_pixels: Annotated[int, Meta(description="Largest page, in pixels.", gt=0)] = 200_000_000
    max_pages: Annotated[int, Meta(description="Most pages of one document.", gt=0)] = 5_000
    min_free_bytes: Annotated[
        int, Meta(description="Uploads are refused where they would leave less free space, in bytes.", ge=0)
    ] = 256 * 1024**2
    import_roots: Annotated[
        list[Path], Meta(description="Directories that `image_path` may name files in; none: it is off.")
    ] = msgspec.field(default_factory=list)
    engine: Annotated[str, Meta(description="The engine that reads.")] = "rapid"
    vision_url: Annotated[
        str,
        Meta(description="OpenAI-compatible endpoint of the engine `vision`, as http://localhost:11434/v1."),
    ] = ""
    vision_model: Annotated[str, Meta(description="The model that is asked there.")] = ""
    vision_api_key: Annotated[
        str, Meta(description="The key that is sent to it, if it wants one.", extra=_SECRET)
    ] = ""
    vision_profile: Annotated[
        str, Meta(description="How the model is asked, and what it answers in; empty: by the model's name.")
    ] = ""
    vision_fallback: Annotated[
        str, Meta(description="The engine that reads a page where the endpoint fails; empty: none.")
    ] = "rapid"
    vision_stall_seconds: Annotated[
        float, Meta(description="How long the model may write nothing, in seconds.", gt=0)
    ] = 60.0
    vision_max_characters: Annotated[
        int,
        Meta(description="Most characters of one page from the model; what it writes beyond is cut.", gt=0),
    ] = 50_000
    readers: Annotated[
        int,
        Meta(
            description="Pages read at the same time, of one document or of several, by a child each.", ge=1
        ),
    ] = 1
    reader_threads: Annotated[
        int,
        Meta(description="Processor threads of one reader; 0 = the cores shared among the readers.", ge=0),
    ] = 0
    page_seconds: Annotated[float, Meta(description="Longest time one page may take, in seconds.", gt=0)] = (
        120.0
    )
    reader_memory_bytes: Annotated[
        int,
        Meta(
            description="Most memory of one reader's process, in bytes; one that takes more is ended.", gt=0
        ),
    ] = 4 * 1024**3
    jwt_algorithm: Annotated[str, Meta(description="The only algorithm of tokens that is accepted.")] = (
        "HS256"
    )
    jwt_signing_key: Annotated[
        str, Meta(description="Key that signs tokens; empty: the secret key (HS256 only).", extra=_SECRET)
    ] = ""
    jwt_verifying_key: Annotated[
        str, Meta(description="Public key (PEM) of tokens that another service signs.")
    ] = ""
    jwt_jwks_url: Annotated[str, Meta(description="Where to fetch the public keys of another service.")] = ""
    jwt_issuer: Annotated[str, Meta(description="Required issuer (`iss`) of a token; empty: any.")] = ""
    jwt_audience: Annotated[str, Meta(description="Required audience (`aud`) of a token; empty: any.")] = ""
    jwt_user_claim: Annotated[str, Meta(description="The claim of a token that names the user.")] = "sub"
    jwt_user_field: Annotated[str, Meta(description="The field of the user that this claim holds.")] = "id"
    jwt_type_claim: Annotated[
        str,
        Meta(
            description="The claim that must say `access`; empty: not asked for, as some services have none."
        ),
    ] = "token_type"
    jwt_access_seconds: Annotated[int, Meta(description="Life of an access token, in seconds.", gt=0)] = 3_600
    jwt_refresh_seconds: Annotated[int, Meta(description="Life of a refresh token, in seconds.", gt=0)] = (
        30 * 86_400
    )
    password_tries_per_minute: Annotated[
        int, Meta(description="Tries a minute to sign in by password, for one user from one address.", gt=0)
    ] = 10
    max_sockets_per_user: Annotated[int, Meta(description="Most open WebSockets of one user.", gt=0)] = 1_000
    messages_per_second: Annotated[
        int, Meta(description="Messages a second from one WebSocket; four times as many in a burst.", gt=0)
    ] = 500
    max_pending_per_user: Annotated[
        int, Meta(description="Most uploads of one user that wait to be read; 0 = unlimited.", ge=0)
    ] = 0
    max_uploads_per_user: Annotated[
        int, Meta(description="Most uploads that one user may have; 0 = unlimited.", ge=0)
    ] = 0
    max_bytes_per_user: Annotated[
        int, Meta(description="Most bytes of files that one user may have; 0 = unlimited.", ge=0)
    ] = 0

    redis_url: Annotated[
        str,
        Meta(
            description="The Redis that several processes share, as redis://host:6379/0; empty: none.",
            extra=_SECRET,
        ),
    ] = ""
    redis_prefix: Annotated[
        str,
        Meta(description="Stands before every name in that Redis: one for each deployment.", min_length=1),
    ] = "scanrill:"
    broker_url: Annotated[
        str,
        Meta(
            description="Where calls to read are sent, as amqp://host/ (RabbitMQ); empty: the Redis.",
            extra=_SECRET,
        ),
    ] = ""
    with_reader: Annotated[
        bool,
        Meta(description="Whether `scanrill serve` reads too where there is a Redis; without one it does."),
    ] = False
    database_url: Annotated[
        str,
        Meta(
            description="PostgreSQL, as postgresql://user@host/name or postgresql://user@/name?host=/dir; "
            "empty: SQLite in the data directory.",
            extra=_SECRET,
        ),
    ] = ""
    storage_url: Annotated[
        str,
        Meta(
            description="Where files are kept: file:///directory, or s3://bucket/prefix?endpoint=…&region=…; "
            "empty: `files` in the data directory.",
            extra=_SECRET,
        ),
    ] = ""
    storage_cache_bytes: Annotated[
        int,
        Meta(description="Most bytes of copies, on this machine, of files kept in a bucket.", ge=0),
    ] = 2 * 1024**3
    event_retention: Annotated[
        Duration,
        Meta(
            description="How long events are kept for clients that come back (90s, 15m, 24h, 7d), or seconds."
        ),
    ] = Duration(86_400)

    @property
    def embedded(self) -> bool:
        """Nothing is shared with another server: the data directory is this one's alone."""
        return not self.database_url and not self.redis_url

    @property
    def broker(self) -> str:
        """Where workers are called to read; empty: there are none."""
        return self.broker_url or self.redis_url

    @property
    def runs_readers(self) -> bool:
        """Whether a server has readers of its own."""
        return self.with_reader or not self.broker

    @property
    def files_dir(self) -> Path:
        """Where files are kept, unless that is a bucket."""
        if self.storage_url.startswith("file:"):
            return Path(unquote(urlsplit(self.storage_url).path))
        return self.data_dir / "files"

    @property
    def staging_dir(self) -> Path:
        """Files on their way in; on the file system of `files_dir`, so that a rename is enough."""
        if self.files_dir.parent != self.data_dir:
            return self.files_dir / ".incoming"
        return self.data_dir / "incoming"

    @property
    def private_dirs(self) -> list[Path]:
        """What everybody's files lie below: nothing is imported from there."""
        return [self.data_dir, *([self.files_dir] if self.storage_url.startswith("file:") else [])]

    @property
    def database_path(self) -> Path:
        return self.data_dir / "scanrill.sqlite3"

    @property
    def max_frame_bytes(self) -> int:
        """Largest WebSocket message: an upload in base64, and room for the rest of its message."""
        if not self.max_upload_bytes:
            return 2**62
        return self.max_upload_bytes * 4 // 3 + 64 * 1024


class SettingInfo(NamedTuple):
    """One row of `scanrill settings`."""

    variable: str
    default: str
    value: str
    help: str


def load(environ: Mapping[str, str]) -> Conf:
    """Settings from environment variables; raises `CommandError` naming the variable that is wrong."""
    hints = get_type_hints(Conf, include_extras=True)
    given = {
        name: _split_list(environ[PREFIX + name.upper()], hints[name])
        for name in Conf.__struct_fields__
        if PREFIX + name.upper() in environ
    }
    try:
        return msgspec.convert(given, Conf, strict=False, dec_hook=_decode_custom_type)
    except msgspec.ValidationError as error:
        raise CommandError(_name_variable(str(error))) from None


def describe(settings: Conf) -> list[SettingInfo]:
    """All settings with default, value (a secret only as set or not) and help."""
    hints = get_type_hints(Conf, include_extras=True)
    plain = Conf()
    rows = []
    for name in Conf.__struct_fields__:
        meta = _meta(hints[name])
        shown = [_display_value(getattr(source, name), meta) for source in (plain, settings)]
        rows.append(SettingInfo(PREFIX + name.upper(), shown[0], shown[1], meta.description or ""))
    return rows


def secret_key(settings: Conf) -> str:
    """The configured secret, or the data directory's own, made on first use, mode 0600.

    Raises `CommandError` where servers share a database or a Redis: each would make one of its own.
    """
    if settings.secret_key:
        return settings.secret_key
    if not settings.embedded:
        raise CommandError(
            f"With {PREFIX}DATABASE_URL or {PREFIX}REDIS_URL, set {PREFIX}SECRET_KEY too: "
            "a long random string, the same for all servers."
        )
    path = settings.data_dir / "secret.key"
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(50))
    return path.read_text()


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that are no setting: most often a misspelt one."""
    known = {PREFIX + name.upper() for name in Conf.__struct_fields__}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _write_once(path: Path, text: str) -> None:
    """The whole file or none, by a link: of two processes that start at once, both then read the same."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as draft:  # mode 0600
        draft.write(text)
        draft.flush()
        with suppress(FileExistsError):
            os.link(draft.name, path)


def _split_list(text: str, hint: Any) -> Any:
    kind = get_args(hint)[0]
    if get_origin(kind) is not list:
        return text
    separator = ":" if get_args(kind)[0] is Path else ","
    return [part.strip() for part in text.split(separator) if part.strip()]


def _decode_custom_type(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser().absolute()
    if kind is Duration:
        return Duration(parse_duration(str(value)))
    raise TypeError(f"no setting has the type {kind!r}")


def _meta(hint: Any) -> Meta:
    meta = get_args(hint)[1]
    assert isinstance(meta, Meta)
    return meta


def _display_value(value: object, meta: Meta) -> str:
    if meta.extra == _SECRET:
        return "(set)" if value else ""
    if isinstance(value, list):
        return (":" if value and isinstance(value[0], Path) else ",").join(map(str, value))
    return str(value)


def _name_variable(problem: str) -> str:
    """msgspec ends its sentence with the field as `$.readers`; a user knows it as SCANRILL_READERS."""
    where = re.search(r" - at `\$\.(\w+)", problem)
    name = PREFIX + where[1].upper() if where else "A setting"
    return f"{name}: {problem.split(' - at')[0]}."


conf = load(os.environ)
