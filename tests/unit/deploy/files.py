"""Parsed files of `deploy/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
Manifest = dict[str, Any]


def compose() -> Manifest:
    loaded: Manifest = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def kustomization() -> Manifest:
    loaded: Manifest = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    return loaded


def manifests() -> list[Manifest]:
    """Return all objects of the files that the kustomization names."""
    names = kustomization()["resources"]
    return [m for name in names for m in yaml.safe_load_all((KUBERNETES / name).read_text())]


def of_kind(kind: str) -> list[Manifest]:
    found = [manifest for manifest in manifests() if manifest["kind"] == kind]
    assert found, kind
    return found
