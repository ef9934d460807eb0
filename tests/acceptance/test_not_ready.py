"""Things that are not ready are 202 with `Retry-After`; things that do not exist are 404."""

from __future__ import annotations

import pytest
from scanrill_client import Client, NotReady

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.problems import problem_of

ENDS = {
    "/pages/1": "page_not_ready",
    "/readings/1/pages/1": "page_not_ready",
    "/pages/1/figures/1": "page_not_ready",
    "/export": "upload_not_ready",
}


def test_what_is_still_being_read_is_202_until_it_is_ready(alice: Account, gate: ReadingGate) -> None:
    client = HttpClient(alice.server, alice.mint())
    with client.http as http:
        image = scripted_png(lines=["one", "two"], **gate.after(1))
        upload_id = client.post(image).json()["instance"]["id"]
        path = f"/api/uploads/{upload_id}"
        for end, code in ENDS.items():
            answer = http.get(path + end)
            assert (answer.status_code, problem_of(answer)["code"]) == (202, code), end
            assert problem_of(answer)["retryable"]
            assert int(answer.headers["Retry-After"]) > 0
        assert http.get(f"{path}/pages/0").status_code == 404
        assert http.patch(f"{path}/pages/1", json={"correction": "x"}).status_code == 409
        gate.open()
        assert http.get(f"{path}?wait=60").json()["status"] == "processed"
        assert http.get(f"{path}/pages/1").status_code == 200
        assert http.get(f"{path}/export").status_code == 200
        assert http.get(f"{path}/pages/2").status_code == 404


def test_client_says_that_a_page_is_not_ready(alice: Account, gate: ReadingGate) -> None:
    with Client(alice.server.http, token=alice.mint()) as client:
        created = client.create(scripted_png(lines=["one", "two"], **gate.after(1)))
        with pytest.raises(NotReady) as raised:
            client.page(created.instance.id, 1)
        assert (raised.value.code, raised.value.retryable) == ("page_not_ready", True)
