"""`deploy/kubernetes/`: valid by the schemas of Kubernetes, and safe for scanrill."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from .files import KUBERNETES, Manifest, kustomization, manifests, of_kind

VERSIONS = ["1.30", "1.34"]


def pods() -> dict[str, Manifest]:
    return {d["metadata"]["name"]: d["spec"]["template"]["spec"] for d in of_kind("Deployment")}


def labels() -> dict[str, Manifest]:
    return {d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"] for d in of_kind("Deployment")}


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid_and_the_validator_detects_errors(version: str) -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, version, strict=True)
    wrong = copy.deepcopy(of_kind("Deployment")[0])
    wrong["spec"]["template"]["spec"]["containers"][0]["prots"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_kustomization_names_exactly_the_existing_files() -> None:
    named = set(kustomization()["resources"])
    existing = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert named == existing
    [generated] = kustomization()["secretGenerator"]
    assert [f"{name}.example" for name in generated["envs"]] == [
        path.name for path in KUBERNETES.glob("*.example")
    ]
    assert (KUBERNETES / ".gitignore").read_text().split() == generated["envs"]


def test_references_between_objects_resolve() -> None:
    generated = {
        "configMapRef": {g["name"] for g in kustomization()["configMapGenerator"]},
        "secretRef": {g["name"] for g in kustomization()["secretGenerator"]},
    }
    for pod in pods().values():
        [container] = pod["containers"]
        for source in container["envFrom"]:
            [(kind, reference)] = source.items()
            assert reference["name"] in generated[kind]
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert {i["name"] for i in kustomization()["images"]} == {
        p["containers"][0]["image"] for p in pods().values()
    }
    selected = [m["spec"]["selector"] for m in of_kind("Service")]
    selected += [
        m["spec"]["selector"]["matchLabels"]
        for m in (*of_kind("Deployment"), *of_kind("PodDisruptionBudget"))
    ]
    for selector in selected:
        assert any(selector.items() <= own.items() for own in labels().values()), selector
    for scaler in of_kind("HorizontalPodAutoscaler"):
        assert scaler["spec"]["scaleTargetRef"]["name"] in pods()
    [ingress], [service] = of_kind("Ingress"), of_kind("Service")
    [path] = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == service["metadata"]["name"]
    assert path["backend"]["service"]["port"]["name"] == service["spec"]["ports"][0]["name"]


def test_pods_have_no_privileges_and_few_writable_directories() -> None:
    for pod in pods().values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/scanrill", "/tmp"}
        assert container["resources"].keys() == {"requests", "limits"}


def test_probes_use_the_health_endpoints_with_an_allowed_host() -> None:
    [container] = pods()["web"]["containers"]
    probes = {
        kind: container[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert [probe["path"] for probe in probes.values()] == ["/healthz", "/healthz", "/readyz"]
    for probe in probes.values():
        assert probe["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


def test_grace_period_is_longer_than_a_shutdown() -> None:
    for pod in pods().values():
        [container] = pod["containers"]
        before = (
            container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        )
        assert pod["terminationGracePeriodSeconds"] > 10 + int(before[1])


def test_reader_memory_limit_is_below_the_container_limit() -> None:
    [container] = pods()["worker"]["containers"]
    given = {variable["name"]: variable["value"] for variable in container["env"]}
    assert int(given["SCANRILL_READER_MEMORY_BYTES"]) < 3 * 1024**3
    assert container["resources"]["limits"]["memory"] == "3Gi"
    assert given["SCANRILL_READER_THREADS"] == container["resources"]["limits"]["cpu"]


@pytest.fixture
def built(tmp_path: Path) -> list[Any]:
    """Return the manifests that kustomize builds with the secrets of the example."""
    if (kubectl := shutil.which("kubectl")) is None:
        pytest.skip("LOUD: kubectl is not installed; the kustomization was not built")
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    (tmp_path / "kubernetes" / "secret.env.example").rename(tmp_path / "kubernetes" / "secret.env")
    command = [kubectl, "kustomize", str(tmp_path / "kubernetes")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_kustomize_builds_valid_manifests(built: list[Any]) -> None:
    for manifest in built:
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)
    [web] = [m for m in built if m["kind"] == "Deployment" and m["metadata"]["name"] == "web"]
    [container] = web["spec"]["template"]["spec"]["containers"]
    assert ":" in container["image"]
    [secret] = [m for m in built if m["kind"] == "Secret"]
    assert container["envFrom"][1]["secretRef"]["name"] == secret["metadata"]["name"] != "scanrill"
