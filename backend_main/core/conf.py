"""Settings of scanrill, each declared once with name, type, default and help.

The environment variable `SCANRILL_MAX_UPLOAD_BYTES` sets the field `max_upload_bytes`. The command
`scanrill settings`, the documentation and the tests read this module; nothing else repeats a default.

The module loads `conf` from the environment once, when it is imported, and `conf` never changes after that.
A command that sets a variable must therefore do so before the first import of this module.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from .conf_types import Duration, Network, Wire, decode_custom_type, without_credentials
from .errors import CommandError

PREFIX = "SCANRILL_"
_SECRET = {"secret": True}
# A path without a slash at its end, or nothing. No first segment is one of the server's own paths.
ROOT_PATH_PATTERN = r"^(?!/(?:api|assets|healthz|k|readyz|ws)(?:/|$))(?:/[A-Za-z0-9._~-]+)*$"


def _default_data_dir() -> Path:
    """Return the XDG data directory: every command of a user then finds one set of data."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "scanrill"


class Conf(msgspec.Struct, frozen=True, kw_only=True):
    """Settings in force. In a variable, commas separate the items of a list, and colons directories."""

    data_dir: Annotated[
        Path, Meta(description="Directory of the database, the files and the secret key.")
    ] = msgspec.field(default_factory=_default_data_dir)
    secret_key: Annotated[
        str,
        Meta(
            description="Key that signs tokens, random, of 32 bytes or more. Empty: a random key in the data "
            "directory.",
            extra=_SECRET,
        ),
    ] = ""
    allowed_hosts: Annotated[
        list[str],
        Meta(description="Host names that the server accepts, besides those of the loopback interface."),
    ] = msgspec.field(default_factory=list)
    allowed_origins: Annotated[
        list[str],
        Meta(
            description="Web origins (scheme://host:port) that may connect, besides the server's own; of "
            "apps and browser extensions too, such as capacitor://localhost."
        ),
    ] = msgspec.field(default_factory=list)
    trusted_proxies: Annotated[
        list[Network],
        Meta(
            description="Addresses or networks of reverse proxies, such as 127.0.0.1 or 10.0.0.0/8: their "
            "X-Forwarded-For and X-Forwarded-Proto count. Empty: none."
        ),
    ] = msgspec.field(default_factory=list)
    root_path: Annotated[
        str,
        Meta(
            description="Path below which a reverse proxy serves the server, such as /scan. Empty: none, or "
            "X-Forwarded-Prefix of a trusted proxy.",
            pattern=ROOT_PATH_PATTERN,
        ),
    ] = ""
    https_only: Annotated[
        bool,
        Meta(
            description="All users connect by HTTPS, which a proxy adds. Otherwise X-Forwarded-Proto of a "
            "trusted proxy decides for each request."
        ),
    ] = False
    hsts_seconds: Annotated[
        int,
        Meta(
            description="Time for which browsers must use HTTPS (HSTS), in seconds. The server sends it with "
            "responses over HTTPS; 0 = never.",
            ge=0,
        ),
    ] = 365 * 86_400
    max_connections_per_address: Annotated[
        int,
        Meta(
            description="Largest number of connections from one address to one server process, with IPv6 by "
            "/64; 0 = half of the connections that the process can hold.",
            ge=0,
        ),
    ] = 0
    request_head_seconds: Annotated[
        float,
        Meta(description="Longest time for the head of a request or WebSocket handshake, in seconds.", gt=0),
    ] = 15.0
    request_body_seconds: Annotated[
        float,
        Meta(
            description="Time for the body of a request, in seconds; each KiB that arrives adds a second.",
            gt=0,
        ),
    ] = 30.0
    max_upload_bytes: Annotated[
        int, Meta(description="Largest image or PDF, in bytes; 0 = unlimited.", ge=0)
    ] = 1024**3
    max_pixels: Annotated[int, Meta(description="Largest page, in pixels.", gt=0)] = 200_000_000
    max_pages: Annotated[int, Meta(description="Largest number of pages of one document.", gt=0)] = 5_000
    min_free_bytes: Annotated[
        int,
        Meta(
            description="Free disk space that uploads, corrections and page images must leave, in bytes; "
            "0 = none.",
            ge=0,
        ),
    ] = 256 * 1024**2
    import_roots: Annotated[
        list[Path],
        Meta(description="Directories that `image_path` may name files in. Empty: imports are off."),
    ] = msgspec.field(default_factory=list)
    fetch_hosts: Annotated[
        list[str],
        Meta(
            description="Names of the hosts from which a request may let the server fetch a file by its URL. "
            "Empty: none."
        ),
    ] = msgspec.field(default_factory=list)
    outgoing_allow: Annotated[
        list[Network],
        Meta(
            description="Addresses or networks, such as 10.0.0.0/8, that webhooks and fetched URLs may reach "
            "although they are not public; also by plain HTTP. Empty: none."
        ),
    ] = msgspec.field(default_factory=list)
    outgoing_ports: Annotated[
        list[Annotated[int, Meta(ge=1, le=65_535)]],
        Meta(description="Ports that webhooks and fetched URLs may have."),
    ] = msgspec.field(default_factory=lambda: [80, 443])
    engine: Annotated[str, Meta(description="Name of the default engine.")] = "rapid"
    vision_url: Annotated[
        str,
        Meta(
            description="OpenAI-compatible endpoint of the engine `vision`, such as http://localhost:11434/v1."
        ),
    ] = ""
    vision_model: Annotated[str, Meta(description="Name of the model at that endpoint.")] = ""
    vision_api_key: Annotated[
        str, Meta(description="API key for that endpoint. Empty: none.", extra=_SECRET)
    ] = ""
    vision_profile: Annotated[
        str, Meta(description="Prompt and response format for the model. Empty: chosen by the model's name.")
    ] = ""
    vision_fallback: Annotated[
        str, Meta(description="Engine that reads a page if the endpoint fails. Empty: none.")
    ] = "rapid"
    vision_stall_seconds: Annotated[
        float, Meta(description="Longest pause in the model's response, in seconds.", gt=0)
    ] = 60.0
    vision_max_characters: Annotated[
        int,
        Meta(
            description="Longest text of one page from the model, in characters; the rest is cut off.", gt=0
        ),
    ] = 50_000
    readers: Annotated[
        int,
        Meta(
            description="Number of pages that are read at the same time, each by its own engine process.",
            ge=1,
        ),
    ] = 1
    reader_threads: Annotated[
        int,
        Meta(description="Processor threads of one reader; 0 = an equal share of the cores.", ge=0),
    ] = 0
    page_seconds: Annotated[float, Meta(description="Longest time to read one page, in seconds.", gt=0)] = (
        120.0
    )
    reader_memory_bytes: Annotated[
        int,
        Meta(
            description="Largest memory of one engine process, in bytes; a larger process is killed.",
            gt=0,
        ),
    ] = 4 * 1024**3
    required_sandbox: Annotated[
        list[str],
        Meta(
            description="Measures of the sandbox without which no OCR process starts: no_new_privs, limits, "
            "landlock, seccomp, capabilities, user. Empty: those that the system has are in force."
        ),
    ] = msgspec.field(default_factory=list)
    jwt_algorithm: Annotated[
        str, Meta(description="The only signature algorithm of tokens that the server accepts.")
    ] = "HS256"
    jwt_signing_key: Annotated[
        str, Meta(description="Key that signs tokens. Empty: the secret key (HS256 only).", extra=_SECRET)
    ] = ""
    jwt_verifying_key: Annotated[
        str, Meta(description="Public key (PEM) of tokens that another service signs.")
    ] = ""
    jwt_jwks_url: Annotated[
        str, Meta(description="URL of the public keys (JWKS) of another service that signs tokens.")
    ] = ""
    jwt_issuer: Annotated[str, Meta(description="Required issuer (`iss`) of a token. Empty: any.")] = ""
    jwt_audience: Annotated[str, Meta(description="Required audience (`aud`) of a token. Empty: any.")] = ""
    jwt_user_claim: Annotated[str, Meta(description="Claim of a token that identifies the user.")] = "sub"
    jwt_user_field: Annotated[str, Meta(description="Field of the user model that this claim contains.")] = (
        "id"
    )
    jwt_type_claim: Annotated[
        str,
        Meta(
            description="Claim that must be `access`. Empty: not checked, for services that do not set one."
        ),
    ] = "token_type"
    jwt_access_seconds: Annotated[int, Meta(description="Lifetime of an access token, in seconds.", gt=0)] = (
        3_600
    )
    jwt_refresh_seconds: Annotated[
        int, Meta(description="Time without a refresh after which a session ends, in seconds.", gt=0)
    ] = 30 * 86_400
    jwt_leeway_seconds: Annotated[
        int,
        Meta(description="Difference of clocks that a token may show, in seconds; 0 = none.", ge=0),
    ] = 30
    max_keys_per_user: Annotated[int, Meta(description="Largest number of API keys of one user.", gt=0)] = 50
    password_tries_per_minute: Annotated[
        int,
        Meta(
            description="Sign-in attempts per minute by password: of one user name from one address, or of "
            "one browser that has signed in with that name before.",
            gt=0,
        ),
    ] = 10
    password_tries_per_address: Annotated[
        int,
        Meta(description="Sign-in attempts per minute by password from one address, for all names.", gt=0),
    ] = 30
    password_tries_per_name: Annotated[
        int,
        Meta(description="Sign-in attempts per minute by password for one name, from all addresses.", gt=0),
    ] = 30
    password_tries_in_all: Annotated[
        int,
        Meta(description="Sign-in attempts per minute by password, of all clients together.", gt=0),
    ] = 120
    max_sockets_per_user: Annotated[
        int, Meta(description="Largest number of open WebSockets of one user.", gt=0)
    ] = 1_000
    messages_per_second: Annotated[
        int,
        Meta(
            description="Messages per second from one WebSocket, and control frames and small fragments; "
            "a burst may have four times as many.",
            gt=0,
        ),
    ] = 500
    message_memory_bytes: Annotated[
        int,
        Meta(
            description="Memory for WebSocket messages of all users until they are handled, in bytes, "
            "beside the largest message.",
            gt=0,
        ),
    ] = 512 * 1024**2
    max_pending_per_user: Annotated[
        int, Meta(description="Largest number of waiting uploads of one user; 0 = unlimited.", ge=0)
    ] = 0
    max_uploads_per_user: Annotated[
        int, Meta(description="Largest number of uploads of one user; 0 = unlimited.", ge=0)
    ] = 0
    max_bytes_per_user: Annotated[
        int,
        Meta(
            description="Largest total size of one user's files, texts, corrections and metadata, in bytes; "
            "0 = unlimited.",
            ge=0,
        ),
    ] = 0
    max_readings_per_upload: Annotated[
        int,
        Meta(
            description="Largest number of readings of an upload, the current one included; those "
            "that were current longest ago go first; 0 = unlimited.",
            ge=0,
        ),
    ] = 5
    max_event_bytes_per_user: Annotated[
        int,
        Meta(
            description="Largest total size of one user's events, from which clients resume, in bytes; the "
            "oldest are deleted; 0 = unlimited.",
            ge=0,
        ),
    ] = 64 * 1024**2
    page_image_cache_bytes: Annotated[
        int,
        Meta(
            description="Size of the cache of page images of all users, in bytes; one user may have a "
            "quarter; 0 = no cache.",
            ge=0,
        ),
    ] = 2 * 1024**3

    redis_url: Annotated[
        str,
        Meta(
            description="URL of the Redis that processes share, such as redis://host:6379/0. Empty: none.",
            extra=_SECRET,
        ),
    ] = ""
    redis_prefix: Annotated[
        str,
        Meta(description="Prefix of all names in Redis; each deployment needs its own.", min_length=1),
    ] = "scanrill:"
    broker_url: Annotated[
        str,
        Meta(
            description="URL of the broker of workers, such as amqp://host/ (RabbitMQ). Empty: Redis.",
            extra=_SECRET,
        ),
    ] = ""
    with_reader: Annotated[
        bool,
        Meta(
            description="Also run readers in `scanrill serve` when Redis is configured. "
            "Always on without Redis."
        ),
    ] = False
    database_url: Annotated[
        str,
        Meta(
            description="URL of PostgreSQL: postgresql://user@host/name or "
            "postgresql://user@/name?host=/directory. Empty: SQLite in the data directory.",
            extra=_SECRET,
        ),
    ] = ""
    storage_url: Annotated[
        str,
        Meta(
            description="URL of the file storage: file:///directory or "
            "s3://bucket/prefix?endpoint=URL&region=NAME. Empty: `files` in the data directory.",
            extra=_SECRET,
        ),
    ] = ""
    resumable_upload_retention: Annotated[
        Duration,
        Meta(
            description="Time for which an unfinished resumable upload waits for its next bytes: seconds, or "
            "15m, 24h, 7d."
        ),
    ] = Duration(86_400)
    max_webhooks_per_user: Annotated[
        int, Meta(description="Largest number of webhooks of one user; 0 = webhooks are off.", ge=0)
    ] = 20
    storage_cache_bytes: Annotated[
        int,
        Meta(description="Size of the local cache of files from a bucket, in bytes; 0 = no cache.", ge=0),
    ] = 2 * 1024**3
    wires: Annotated[
        list[Wire],
        Meta(
            description="Interfaces of other products that are on: tika, open-webui, docling, openai, "
            "mistral, azure, mcp."
        ),
    ] = msgspec.field(default_factory=lambda: list(get_args(Wire)))
    wire_retention_hours: Annotated[
        int,
        Meta(
            description="Time after which uploads that came through an interface of another product are "
            "deleted, in hours; 0 = never.",
            ge=0,
        ),
    ] = 24
    event_retention: Annotated[
        Duration,
        Meta(description="Time for which a client can resume after a disconnect: seconds, or 15m, 24h, 7d."),
    ] = Duration(86_400)

    @property
    def embedded(self) -> bool:
        """Whether this server shares neither database nor Redis with another one."""
        return not self.database_url and not self.redis_url

    @property
    def broker(self) -> str:
        """URL of the broker that wakes workers; empty if there are no workers."""
        return self.broker_url or self.redis_url

    @property
    def runs_readers(self) -> bool:
        """Whether `scanrill serve` runs readers."""
        return self.with_reader or not self.broker

    @property
    def files_dir(self) -> Path:
        """Directory of the stored files; not used with a bucket."""
        if self.storage_url.startswith("file:"):
            return Path(unquote(urlsplit(self.storage_url).path))
        return self.data_dir / "files"

    @property
    def staging_dir(self) -> Path:
        """Directory of incoming files, on the file system of `files_dir`, so that storing is a rename."""
        if self.files_dir.parent != self.data_dir:
            return self.files_dir / ".incoming"
        return self.data_dir / "incoming"

    @property
    def private_dirs(self) -> list[Path]:
        """Directories with files of all users; imports from there are rejected."""
        return [self.data_dir, *([self.files_dir] if self.storage_url.startswith("file:") else [])]

    @property
    def database_path(self) -> Path:
        return self.data_dir / "scanrill.sqlite3"

    @property
    def max_frame_bytes(self) -> int:
        """Size of the largest WebSocket message: an upload in base64, and 64 KiB for its other fields."""
        if not self.max_upload_bytes:
            return 2**62
        return self.max_upload_bytes * 4 // 3 + 64 * 1024


class SettingInfo(NamedTuple):
    """Row of `scanrill settings`; the value of a secret is "(set)" or ""."""

    variable: str
    default: str
    value: str
    help: str


def load(environ: Mapping[str, str]) -> Conf:
    """Parse the settings in environment variables. Raises `CommandError`, which names the wrong variable."""
    hints = get_type_hints(Conf, include_extras=True)
    values: dict[str, Any] = {}
    for name in Conf.__struct_fields__:
        if (text := environ.get(PREFIX + name.upper())) is None:
            continue
        values[name] = text
        kind = get_args(hints[name])[0]
        if get_origin(kind) is list:
            separator = ":" if get_args(kind)[0] is Path else ","
            values[name] = [part.strip() for part in text.split(separator) if part.strip()]
    try:
        return msgspec.convert(values, Conf, strict=False, dec_hook=decode_custom_type)
    except msgspec.ValidationError as error:
        # msgspec names the field at the end of its message, as in `$.readers`. Users know SCANRILL_READERS.
        problem = str(error)
        field = re.search(r" - at `\$\.(\w+)", problem)
        variable = PREFIX + field[1].upper() if field else "A setting"
        raise CommandError(f"{variable}: {problem.split(' - at')[0]}.") from None


def describe(settings: Conf) -> list[SettingInfo]:
    """Return all settings with default, value and help."""
    hints = get_type_hints(Conf, include_extras=True)
    defaults = Conf()
    rows = []
    for name in Conf.__struct_fields__:
        meta = get_args(hints[name])[1]
        default = _display_value(getattr(defaults, name), meta)
        value = _display_value(getattr(settings, name), meta)
        rows.append(SettingInfo(PREFIX + name.upper(), default, value, meta.description or ""))
    return rows


# Variables of commands alone: the key of `scanrill watch --server`.
COMMAND_VARIABLES = {PREFIX + "API_KEY"}


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return variables with scanrill's prefix that are not settings, usually misspelt ones."""
    known = {PREFIX + name.upper() for name in Conf.__struct_fields__} | COMMAND_VARIABLES
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _display_value(value: object, meta: Meta) -> str:
    if meta.extra == _SECRET:
        return "(set)" if value else ""
    if isinstance(value, list):
        separator = ":" if value and isinstance(value[0], Path) else ","
        return separator.join(without_credentials(str(item)) for item in value)
    return without_credentials(str(value))


conf = load(os.environ)
