"""Build backend: hatchling, plus a build of the web page before a wheel or an sdist.

It wraps hatchling instead of being one of its build hooks. A hook must name its requirements before it knows
what will be built, so an editable installation, which needs no web page, would install Node.js too.
"""

from __future__ import annotations

from typing import Any

import build_web
from hatchling import build as hatchling
from hatchling.build import *  # noqa: F403 - all hooks not defined below, such as editable installations

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
