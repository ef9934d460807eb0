"""S02 - a secret leaks through the log or a response: a sign-in code, password, token or cookie."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from backend_main.core.http.sign_in_cookies import REFRESH_COOKIE as COOKIE_NAME
from tests.support.accounts import Account
from tests.support.server import Server


def test_s02_log_and_responses_contain_no_secret(new_server: Callable[..., Server]) -> None:
    server = new_server()
    code = server.sign_in_link.rpartition("=")[2]
    ada = Account.create(server)
    password = "canary of a pass phrase"
    ada.set_password(password)
    secrets = [code, password, ada.sign_in_code()]
    with httpx.Client(base_url=server.http, headers={"Origin": server.http}) as http:
        by_password = {"username": ada.name, "password": password, "cookie": True}
        for body in (by_password, by_password | {"password": password + "!"}, by_password | {"cookie": 1}):
            response = http.post("/api/token/", json=body)
            secrets += response.json().values() if response.is_success else []
        secrets += [http.cookies[COOKIE_NAME], http.post("/api/token/refresh/", json={}).json()["access"]]
        for secret in list(filter(lambda text: isinstance(text, str), secrets)):
            send_everywhere(http, secret)
        assert http.get("/healthz").status_code == 200
    log = server.log
    assert "/api/token/code/" in log, "requests are logged"
    assert "[redacted]" in log
    for secret in filter(lambda text: isinstance(text, str), secrets):
        assert secret not in log
        assert all(part not in log for part in secret.split(".") if len(part) > 20)


def send_everywhere(http: httpx.Client, secret: str) -> None:
    """Send the secret correctly and in every wrong place."""
    for body in ({"code": secret}, {"code": [secret]}, {"refresh": secret}, {"username": secret}, [secret]):
        for path in ("/api/token/", "/api/token/code/", "/api/token/refresh/"):
            answer = http.post(path, json=body)
            assert secret not in answer.text
    for content in (secret, f'{{"code": "{secret}'):
        http.post("/api/token/code/", content=content, headers={"Content-Type": "application/json"})
    http.post("/api/token/code/", data={"code": secret})
    http.get("/", params={"code": secret})
    http.get("/", params={"token": secret})
    http.get("/api/me/", headers={"Authorization": f"Bearer {secret}"})
