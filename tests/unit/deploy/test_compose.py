"""`deploy/compose.yaml`: valid by the Compose Specification, and safe for scanrill."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest
from compose_spec import PyCompose

from .files import DEPLOY, Manifest, compose

OWN_SERVICES = ["web", "worker"]
VARIABLE = re.compile(r"\$\{(\w+):\?")


@pytest.fixture(scope="module")
def services() -> dict[str, Manifest]:
    found: dict[str, Manifest] = compose()["services"]
    return found


def test_compose_file_is_valid_and_the_validator_detects_errors() -> None:
    PyCompose.from_json(json.dumps(compose())).validate()
    wrong = compose()
    wrong["services"]["web"]["portz"] = ["80:80"]
    with pytest.raises(ValueError, match="portz"):
        PyCompose.from_json(json.dumps(wrong))


def test_services_that_others_wait_for_have_a_health_check(services: dict[str, Manifest]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (name, other)


def test_urls_name_existing_services(services: dict[str, Manifest]) -> None:
    for name in OWN_SERVICES:
        urls = {k: v for k, v in services[name]["environment"].items() if k.endswith("_URL")}
        assert urls.keys() >= {"SCANRILL_DATABASE_URL", "SCANRILL_REDIS_URL", "SCANRILL_STORAGE_URL"}
        assert urlsplit(urls["SCANRILL_REDIS_URL"]).hostname in services
        assert urls["SCANRILL_DATABASE_URL"].rpartition("@")[2].partition("/")[0] in services
        assert re.search(r"endpoint=http://(\w+):", urls["SCANRILL_STORAGE_URL"])[1] in services  # type: ignore[index]


def test_compose_file_has_no_secrets_and_the_example_names_all(
    services: dict[str, Manifest],
) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    named = set(re.findall(r"(?m)^(\w+)=", (DEPLOY / "env.example").read_text()))
    assert set(VARIABLE.findall(text)) == named
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "SECRET" in name:
                assert VARIABLE.match(value), name


def test_own_services_have_no_privileges_and_time_to_stop(services: dict[str, Manifest]) -> None:
    for name in OWN_SERVICES:
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert int(service["stop_grace_period"].removesuffix("s")) > 10
        # An anonymous volume: two processes must not share a data directory.
        assert service["volumes"] == ["/var/lib/scanrill"]
    assert services["web"]["deploy"]["replicas"] == 2


def test_images_have_versions(services: dict[str, Manifest]) -> None:
    for name, service in services.items():
        version = service["image"].rpartition(":")[2]
        assert re.search(r"\d", version), name
        assert "latest" not in version


def test_only_the_proxy_has_a_port_and_only_on_loopback(
    services: dict[str, Manifest],
) -> None:
    assert {name: s["ports"] for name, s in services.items() if "ports" in s} == {
        "proxy": ["127.0.0.1:8000:8080"]
    }


def test_trusted_proxies_are_the_network_of_the_services(services: dict[str, Manifest]) -> None:
    """In a larger one, a client could forge the address that its sign-in attempts count for."""
    (network,) = compose()["networks"]["default"]["ipam"]["config"]
    assert services["web"]["environment"]["SCANRILL_TRUSTED_PROXIES"] == network["subnet"]
    assert ip_network(network["subnet"]).prefixlen >= 24
