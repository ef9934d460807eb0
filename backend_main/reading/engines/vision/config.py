"""Step 10 - what the environment says of the endpoint; the server's settings say the same."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

PREFIX = "SCANRILL_VISION_"


class VisionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A field `url` is the variable `SCANRILL_VISION_URL`."""

    url: str = ""
    model: str = ""
    api_key: str = ""
    profile: str = ""
    fallback: str = "rapid"
    stall_seconds: Annotated[float, Meta(gt=0)] = 60.0
    max_characters: Annotated[int, Meta(gt=0)] = 50_000

    def __repr__(self) -> str:
        return f"Setup(url={self.url!r}, model={self.model!r}, api_key={'(set)' if self.api_key else ''!r})"

    @property
    def validation_error(self) -> str:
        """What is missing or wrong in it, as a sentence; "" where nothing is."""
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        except ValueError:
            usable = False
        if not self.url or not self.model:
            return (
                f"{PREFIX}URL (as in http://localhost:11434/v1) and {PREFIX}MODEL say where the model is; "
                "both are needed."
            )
        if not usable:
            return f"{PREFIX}URL is no http or https address."
        if parts.username or parts.password:
            return f"{PREFIX}URL holds a name or a password; a key belongs into {PREFIX}API_KEY."
        return ""


VARIABLES = frozenset(PREFIX + name.upper() for name in VisionConfig.__struct_fields__)


def from_environment(environ: Mapping[str, str]) -> VisionConfig:
    """Raises ValueError where a number is none."""
    names = VisionConfig.__struct_fields__
    given = {
        name: environ[PREFIX + name.upper()].strip() for name in names if PREFIX + name.upper() in environ
    }
    return msgspec.convert(given, VisionConfig, strict=False)
