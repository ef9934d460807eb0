"""Configuration of the endpoint, from environment variables. The server's settings have the same names."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

PREFIX = "SCANRILL_VISION_"


class VisionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Endpoint, model and limits. The field `url` is the variable `SCANRILL_VISION_URL`, and so on."""

    url: str = ""
    model: str = ""
    api_key: str = ""
    profile: str = ""
    fallback: str = "rapid"
    stall_seconds: Annotated[float, Meta(gt=0)] = 60.0
    max_characters: Annotated[int, Meta(gt=0)] = 50_000

    def __repr__(self) -> str:
        key = "(set)" if self.api_key else ""
        return f"VisionConfig(url={self.url!r}, model={self.model!r}, api_key={key!r})"

    @property
    def validation_error(self) -> str | None:
        """First missing or invalid value, as a sentence; None if there is none."""
        if not self.url or not self.model:
            return f"{PREFIX}URL (such as http://localhost:11434/v1) and {PREFIX}MODEL are required."
        try:
            parts = urlsplit(self.url)
            is_valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        except ValueError:
            is_valid = False
        if not is_valid:
            return f"{PREFIX}URL must be an http or https address."
        if parts.username or parts.password:
            return f"{PREFIX}URL contains a name or a password. Set {PREFIX}API_KEY instead."
        return None


VARIABLES = frozenset(PREFIX + name.upper() for name in VisionConfig.__struct_fields__)


def from_environment(environ: Mapping[str, str]) -> VisionConfig:
    """Return the configuration. Raises ValueError if a variable is not a valid number."""
    names = {PREFIX + name.upper(): name for name in VisionConfig.__struct_fields__}
    values = {name: environ[variable].strip() for variable, name in names.items() if variable in environ}
    return msgspec.convert(values, VisionConfig, strict=False)
