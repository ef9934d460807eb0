"""The build backend: hatchling, with the web page built before a wheel or an sdist is packed.

A wrapper and not a build hook of hatchling's: hooks are asked for their requirements before they learn what
is to be built, so that an editable installation, which packs nothing, would fetch Node.js too.
"""

from __future__ import annotations

from typing import Any

import build_web
from hatchling import build as hatchling
from hatchling.build import *  # noqa: F403 - all that is not said otherwise below, editable installations among it

Settings = dict[str, Any] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return [*hatchling.get_requires_for_build_wheel(config_settings), *build_web.requirements()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    return [*hatchling.get_requires_for_build_sdist(config_settings), *build_web.requirements()]


def build_wheel(
    directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    build_web.build_if_needed()
    return hatchling.build_wheel(directory, config_settings, metadata_directory)


def build_sdist(directory: str, config_settings: Settings = None) -> str:
    build_web.build_if_needed()
    return hatchling.build_sdist(directory, config_settings)
