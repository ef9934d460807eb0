"""Generator of the page of settings, from `core/conf.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Meta

from backend_main.core import conf
from backend_main.core.conf_types import Duration, Network

from .markdown import code, joined, page

GROUPS = {
    "Data and secrets": ("DATA_", "SECRET_", "DATABASE_", "REDIS_", "BROKER_", "STORAGE_"),
    "Connections": ("ALLOWED_", "TRUSTED_", "MAX_SOCKETS", "MESSAGES_"),
    "Files and limits": ("MAX_", "MIN_", "IMPORT_", "EVENT_", "RETENTION_"),
    "Reading": ("ENGINE", "READER", "PAGE_", "VISION_"),
    "Tokens": ("JWT_",),
}
OTHERS = "Others"
UNITS = {1024**3: "GiB", 1024**2: "MiB", 1024: "KiB"}


def page_of_settings() -> str:
    groups: dict[str, list[conf.SettingInfo]] = {title: [] for title in [*GROUPS, OTHERS]}
    for row in conf.describe(conf.Conf()):
        groups[_group_of(row.variable)].append(row)
    return page(
        "Settings",
        "Every setting is an environment variable, and each has a default.",
        "`scanrill settings` prints this list with the values in force. It also names variables that begin "
        f"with `{conf.PREFIX}` but are unknown, such as misspelt ones. A command's option overrides its "
        "variable.",
        *(
            joined(f"## {title}", *(_setting(row) for row in rows)).strip()
            for title, rows in groups.items()
            if rows
        ),
    )


def _group_of(variable: str) -> str:
    name = variable.removeprefix(conf.PREFIX)
    return next((title for title, starts in GROUPS.items() if name.startswith(starts)), OTHERS)


def _setting(row: conf.SettingInfo) -> str:
    hint = get_type_hints(conf.Conf, include_extras=True)[row.variable.removeprefix(conf.PREFIX).lower()]
    kind, meta = get_args(hint)
    facts = [_kind(kind), *_bounds(meta), _default(row.default)]
    # An explicit id makes links to settings predictable.
    text = "; ".join(facts)
    return f"### {row.variable} {{ #{row.variable.lower()} }}\n\n{row.help}\n\n*{text[0].upper()}{text[1:]}.*"


KINDS = {
    int: "whole number",
    float: "number",
    str: "text",
    Path: "directory",
    bool: "true or false",
    Network: "text",
    Duration: "seconds, or 90s, 15m, 24h, 7d",
}


def _kind(kind: Any) -> str:
    if get_origin(kind) is list:
        return (
            "directories, separated by colons" if get_args(kind)[0] is Path else "list, separated by commas"
        )
    return KINDS[kind]


def _bounds(meta: Meta) -> list[str]:
    bounds = {"at least": meta.ge, "more than": meta.gt, "at most": meta.le, "less than": meta.lt}
    return [f"{word} {bound}" for word, bound in bounds.items() if bound is not None]


def _default(text: str) -> str:
    """Describe a default without the paths of this machine."""
    text = text.replace(str(Path.home()), "~")
    if text.isdecimal():
        for size, unit in UNITS.items():
            if int(text) and int(text) % size == 0:
                return f"default {code(text)} ({int(text) // size} {unit})"
    return f"default {code(text)}" if text else "empty by default"
