"""`deploy/compose.yaml`: by the Compose Specification, and by what this program needs of it."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest
from compose_spec import PyCompose

from .files import DEPLOY, Manifest, compose

OURS = ["web", "worker"]
VARIABLE = re.compile(r"\$\{(\w+):\?")


@pytest.fixture(scope="module")
def services() -> dict[str, Manifest]:
    found: dict[str, Manifest] = compose()["services"]
    return found


def test_it_is_by_the_specification_and_a_file_that_is_not_is_noticed() -> None:
    PyCompose.from_json(json.dumps(compose())).validate()
    wrong = compose()
    wrong["services"]["web"]["portz"] = ["80:80"]
    with pytest.raises(ValueError, match="portz"):
        PyCompose.from_json(json.dumps(wrong))


def test_what_depends_on_health_has_a_health_check(services: dict[str, Manifest]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (name, other)


def test_addresses_name_services_that_are_there(services: dict[str, Manifest]) -> None:
    for name in OURS:
        urls = {k: v for k, v in services[name]["environment"].items() if k.endswith("_URL")}
        assert urls.keys() >= {"SCANRILL_DATABASE_URL", "SCANRILL_REDIS_URL", "SCANRILL_STORAGE_URL"}
        assert urlsplit(urls["SCANRILL_REDIS_URL"]).hostname in services
        assert urls["SCANRILL_DATABASE_URL"].rpartition("@")[2].partition("/")[0] in services
        assert re.search(r"endpoint=http://(\w+):", urls["SCANRILL_STORAGE_URL"])[1] in services  # type: ignore[index]


def test_no_secret_stands_in_it_and_the_example_names_each_that_it_asks_for(
    services: dict[str, Manifest],
) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    named = set(re.findall(r"(?m)^(\w+)=", (DEPLOY / "env.example").read_text()))
    assert set(VARIABLE.findall(text)) == named
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "SECRET" in name:
                assert VARIABLE.match(value), name


def test_ours_have_no_rights_and_end_in_their_own_time(services: dict[str, Manifest]) -> None:
    for name in OURS:
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert int(service["stop_grace_period"].removesuffix("s")) > 10
        # Two processes in one data directory would be in each other's way: each container has its own.
        assert service["volumes"] == ["/var/lib/scanrill"]
    assert services["web"]["deploy"]["replicas"] == 2


def test_each_image_has_a_version(services: dict[str, Manifest]) -> None:
    for name, service in services.items():
        version = service["image"].rpartition(":")[2]
        assert re.search(r"\d", version), name
        assert "latest" not in version


def test_only_the_proxy_is_reached_from_outside_and_by_this_machine_alone(
    services: dict[str, Manifest],
) -> None:
    assert {name: s["ports"] for name, s in services.items() if "ports" in s} == {
        "proxy": ["127.0.0.1:8000:8080"]
    }
