"""`core/conf.py` → the page of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Meta

from backend_main.core import conf

from .markdown import code, joined, page

GROUPS = {
    "Data and secrets": ("DATA_", "SECRET_", "DATABASE_", "REDIS_", "BROKER_", "STORAGE_"),
    "Who may connect, and how often": ("ALLOWED_", "TRUSTED_", "MAX_SOCKETS", "MESSAGES_"),
    "What is taken in, and kept": ("MAX_", "MIN_", "IMPORT_", "EVENT_", "RETENTION_"),
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
        "`scanrill settings` prints this list with the values in force, and names variables that begin with "
        f"`{conf.PREFIX}` but are no setting: most often one is misspelt. A command's option goes before its "
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
    # The id is written out, so that a link to a setting is what a reader would guess.
    said = "; ".join(facts)
    return f"### {row.variable} {{ #{row.variable.lower()} }}\n\n{row.help}\n\n*{said[0].upper()}{said[1:]}.*"


KINDS = {
    int: "whole number",
    float: "number",
    str: "text",
    Path: "directory",
    bool: "true or false",
    conf.Duration: "seconds, or 90s, 15m, 24h, 7d",
}


def _kind(kind: Any) -> str:
    if get_origin(kind) is list:
        return "directories, with colons between them" if get_args(kind)[0] is Path else "a list with commas"
    return KINDS[kind]


def _bounds(meta: Meta) -> list[str]:
    bounds = {"at least": meta.ge, "more than": meta.gt, "at most": meta.le, "less than": meta.lt}
    return [f"{word} {bound}" for word, bound in bounds.items() if bound is not None]


def _default(text: str) -> str:
    """In words that hold on any machine."""
    text = text.replace(str(Path.home()), "~")
    if text.isdecimal():
        for size, unit in UNITS.items():
            if int(text) and int(text) % size == 0:
                return f"default {code(text)} ({int(text) // size} {unit})"
    return f"default {code(text)}" if text else "empty by default"
