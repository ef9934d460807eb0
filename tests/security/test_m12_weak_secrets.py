"""M12, S36 - a server runs with a secret that can be guessed."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from backend_main.core import checks
from backend_main.core.conf import Conf
from backend_main.core.secret_keys import weakness_of_secret
from tests.integration.test_serve import refusal, scanrill

EXAMPLES = Path(__file__).parents[2] / "deploy"
WEAK = {
    "one character": "x",
    "31 bytes": secrets.token_hex(16)[:31],
    "one character, 64 times": "k" * 64,
    "placeholder": "change-me-change-me-change-me-change-me",
    "placeholder in capitals": "REPLACE THIS BY 32 RANDOM BYTES OR MORE",
    "sentence of the documentation": "a long random string, the same for all",
}


@pytest.mark.parametrize("name", WEAK)
def test_m12_weak_secret_is_found(name: str) -> None:
    assert weakness_of_secret(WEAK[name])


def test_m12_random_secret_is_accepted() -> None:
    for _ in range(1000):
        for secret in (secrets.token_hex(16), secrets.token_urlsafe(24), secrets.token_urlsafe(50)):
            assert weakness_of_secret(secret) is None


def test_m12_secret_of_32_bytes_in_few_characters_is_accepted() -> None:
    assert weakness_of_secret("発票請求書合計金額税込") is None


@pytest.mark.parametrize("variable", ["secret_key", "jwt_signing_key"])
def test_m12_check_names_the_weak_key(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = {"secret_key": secrets.token_hex(32)} | {variable: "x" * 40}
    monkeypatch.setattr(checks, "conf", Conf(data_dir=tmp_path, **settings))
    [problem] = checks.check_secrets()
    assert problem.id == "core.E007"
    assert problem.msg.startswith(f"SCANRILL_{variable.upper()} is a placeholder")


def test_m12_check_accepts_a_signing_key_that_is_not_a_secret_of_hmac(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf = Conf(data_dir=tmp_path, jwt_algorithm="RS256", jwt_signing_key="short: not used for HMAC")
    monkeypatch.setattr(checks, "conf", conf)
    assert checks.check_secrets() == []


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["token", "ada"]])
def test_s36_weak_secret_stops_every_command_on_loopback_too(tmp_path: Path, command: list[str]) -> None:
    line = refusal(scanrill(tmp_path, *command, SECRET_KEY="x", ENGINE="dummy"))
    assert "SCANRILL_SECRET_KEY is shorter than 32 bytes" in line


def test_s36_secret_of_the_servers_own_is_accepted(tmp_path: Path) -> None:
    assert scanrill(tmp_path, "user", "add", "ada", "--no-password").returncode == 0
    assert weakness_of_secret((tmp_path / "secret.key").read_text()) is None


def test_s36_secrets_of_the_example_files_are_refused() -> None:
    lines = [line for path in EXAMPLES.rglob("*.example") for line in path.read_text().splitlines()]
    values = [line.partition("=")[2] for line in lines if line.startswith("SCANRILL_SECRET_KEY=")]
    assert len(values) >= 1
    assert all(map(weakness_of_secret, values))
