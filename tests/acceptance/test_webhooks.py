"""Webhooks over REST: what a receiver gets, signatures, repetitions, and what other users cannot do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.http_client import HttpClient
from tests.support.http_receiver import HTTPReceiver, ReceivedRequest
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of, problem_of
from tests.support.processes import wait_until
from tests.support.server import Server


@pytest.fixture(scope="module")
def receiver() -> Iterator[HTTPReceiver]:
    with HTTPReceiver() as running:
        yield running


@pytest.fixture(scope="module")
def webhook_server(receiver: HTTPReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may send to the receiver, on the loopback interface."""
    settings = {"OUTGOING_ALLOW": "127.0.0.1", "OUTGOING_PORTS": f"443,{receiver.port}"}
    running = Server(tmp_path_factory.mktemp("webhooks") / "data", **settings).start()
    yield running
    if running.process.poll() is None:
        assert running.stop() == 0


@pytest.fixture
def client(webhook_server: Server, receiver: HTTPReceiver) -> Iterator[HttpClient]:
    """A client of a new user; the receiver answers 204."""
    receiver.status = 204
    while not receiver.requests.empty():
        receiver.requests.get()
    client = HttpClient(webhook_server, Account.create(webhook_server).mint())
    yield client
    for webhook in client.http.get("/api/webhooks").json()["webhooks"]:
        client.http.delete(f"/api/webhooks/{webhook['id']}")
    client.http.close()


def add(client: HttpClient, url: str, **fields: Any) -> dict[str, Any]:
    answer = client.http.post("/api/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()
    return webhook


def verified(request: ReceivedRequest, secret: str) -> dict[str, Any]:
    """Return the body of a request whose signature the library verifies."""
    body: dict[str, Any] = Verifier(secret).verify(request.body, request.headers)
    return body


def deliveries(client: HttpClient, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.http.get(f"/api/webhooks/{webhook['id']}/deliveries").json()[
        "deliveries"
    ]
    return listed


def test_webhook_gets_each_event_signed_and_in_order(client: HttpClient, receiver: HTTPReceiver) -> None:
    url = receiver.new_url()
    webhook = add(client, url)
    path = client.read(scripted_png())
    received = [receiver.next_request(url) for _ in range(2)]
    created, processed = (verified(request, webhook["secret"]) for request in received)
    assert [created["type"], processed["type"]] == ["upload.created", "upload.processed"]
    data = processed["data"]
    assert data["links"]["self"] == f"{path}/"
    assert data["status"] == "processed"
    assert "raw_text" not in data
    assert len({request.headers["webhook-id"] for request in received}) == 2
    with pytest.raises(WebhookVerificationError):
        verified(received[0]._replace(body=received[0].body + b" "), webhook["secret"])


def test_webhook_gets_only_the_events_that_it_names(client: HttpClient, receiver: HTTPReceiver) -> None:
    url = receiver.new_url()
    webhook = add(client, url, events=["upload.deleted"])
    path = client.read(scripted_png())
    client.http.delete(f"{path}/")
    deleted = verified(receiver.next_request(url), webhook["secret"])
    assert deleted["type"] == "upload.deleted"
    assert [delivery["type"] for delivery in deliveries(client, webhook)] == ["upload.deleted"]


def test_webhook_of_one_upload_gets_an_end_that_was_before_it(
    client: HttpClient, receiver: HTTPReceiver
) -> None:
    url = receiver.new_url()
    path = client.read(scripted_png())
    upload_id = path.rpartition("/")[2]
    webhook = add(client, url, upload_id=upload_id)
    assert verified(receiver.next_request(url), webhook["secret"])["type"] == "upload.processed"
    client.post(scripted_png(lines=["another"]))
    client.http.delete(f"{path}/")
    ended = verified(receiver.next_request(url), webhook["secret"])
    assert (ended["type"], ended["data"]["id"]) == ("upload.deleted", upload_id)


def test_failed_delivery_is_repeated_with_the_id_and_body_that_it_had(
    client: HttpClient, receiver: HTTPReceiver
) -> None:
    url = receiver.new_url()
    receiver.status, receiver.body = 500, b"broken " * 1000
    webhook = add(client, url)
    client.http.post(f"/api/webhooks/{webhook['id']}/test")
    first = receiver.next_request(url)
    wait_until(lambda: deliveries(client, webhook)[0]["response_status"] == 500, "the attempt is logged")
    [failed] = deliveries(client, webhook)
    assert (failed["status"], failed["type"]) == ("pending", "webhook.test")
    assert failed["attempts"] >= 1
    assert failed["response_text"] == ("broken " * 1000)[:1024]
    receiver.status, receiver.body = 204, b""
    again = client.http.post(f"/api/webhooks/{webhook['id']}/deliveries/{failed['id']}/redeliver")
    assert again.status_code == 202
    second = receiver.next_request(url)
    assert (second.headers["webhook-id"], second.body) == (first.headers["webhook-id"], first.body)
    wait_until(lambda: deliveries(client, webhook)[0]["status"] == "delivered", "the delivery ends")


def test_receiver_that_is_gone_disables_its_webhook(client: HttpClient, receiver: HTTPReceiver) -> None:
    url = receiver.new_url()
    receiver.status = 410
    webhook = add(client, url)
    path = f"/api/webhooks/{webhook['id']}"
    client.http.post(f"{path}/test")
    receiver.next_request(url)
    wait_until(lambda: not client.http.get(path).json()["enabled"], "the webhook is disabled")
    assert "410" in client.http.get(path).json()["disabled_reason"]
    assert "enabled" in errors_of(client.http.post(f"{path}/test"))
    enabled = client.http.patch(path, json={"enabled": True}).json()
    assert (enabled["enabled"], enabled["disabled_reason"]) == (True, None)


def test_both_secrets_sign_after_a_rotation(client: HttpClient, receiver: HTTPReceiver) -> None:
    url = receiver.new_url()
    webhook = add(client, url)
    path = f"/api/webhooks/{webhook['id']}"
    rotated = client.http.post(f"{path}/secret").json()["secret"]
    assert rotated != webhook["secret"]
    client.http.post(f"{path}/test")
    request = receiver.next_request(url)
    for secret in (webhook["secret"], rotated):
        assert verified(request, secret)["data"] == {"webhook_id": webhook["id"]}
    assert "whsec_" not in client.http.get("/api/webhooks").text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "url"),
        ({"url": "http://10.0.0.1:22/"}, "url"),
        ({"url": 5}, "url"),
        ({"url": "https://host.example/", "events": ["upload.read"]}, "events"),
        ({"url": "https://host.example/", "upload_id": "x"}, "upload_id"),
        ({"url": "https://host.example/", "secret": "x"}, "secret"),
    ],
)
def test_webhook_with_a_wrong_field_is_refused(
    client: HttpClient, fields: dict[str, Any], wrong: str
) -> None:
    answer = client.http.post("/api/webhooks", json=fields)
    assert (answer.status_code, list(errors_of(answer))) == (400, [wrong])
    assert client.http.get("/api/webhooks").json() == {"webhooks": []}


def test_webhook_to_a_private_address_sends_nothing(client: HttpClient) -> None:
    """The name is resolved when the delivery is sent, not when the webhook is added."""
    webhook = add(client, "https://localhost/")  # 127.0.0.1 is allowed, ::1 is not
    client.http.patch(f"/api/webhooks/{webhook['id']}", json={"url": "https://[::1]/"})
    client.http.post(f"/api/webhooks/{webhook['id']}/test")
    wait_until(lambda: "not public" in deliveries(client, webhook)[0]["response_text"], "the attempt fails")
    assert deliveries(client, webhook)[0]["response_status"] is None


def test_webhooks_of_other_users_look_like_none(
    client: HttpClient, receiver: HTTPReceiver, webhook_server: Server
) -> None:
    url = receiver.new_url()
    webhook = add(client, url)
    client.http.post(f"/api/webhooks/{webhook['id']}/test")
    receiver.next_request(url)
    [delivery] = deliveries(client, webhook)
    other = HttpClient(webhook_server, Account.create(webhook_server).mint())
    path = f"/api/webhooks/{webhook['id']}"
    requests = [
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/secret"),
        ("POST", f"{path}/test"),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/deliveries/{delivery['id']}/redeliver"),
    ]
    for method, target in requests:
        json_body = {"enabled": False} if method == "PATCH" else None
        answer = other.http.request(method, target, json=json_body)
        assert (answer.status_code, problem_of(answer)["code"]) == (404, "webhook_not_found"), target
        missing = other.http.request(method, target.replace(webhook["id"], str(uuid.uuid4())), json=json_body)
        assert missing.content == answer.content
    own = add(other, url)["id"]
    stolen = other.http.post(f"/api/webhooks/{own}/deliveries/{delivery['id']}/redeliver")
    assert stolen.status_code == 404
    other.http.delete(f"/api/webhooks/{own}")
    mine = client.read(scripted_png())
    foreign = {"url": url, "upload_id": mine.rpartition("/")[2]}
    assert other.http.post("/api/webhooks", json=foreign).status_code == 404
    assert other.http.get("/api/webhooks").json() == {"webhooks": []}
    other.http.close()


def test_webhook_commands_add_test_list_and_remove(
    client: HttpClient, receiver: HTTPReceiver, webhook_server: Server
) -> None:
    url = receiver.new_url()
    account = Account.create(webhook_server)

    def run(*arguments: str) -> str:
        done = webhook_server.command("webhook", *arguments, "--user", account.name)
        assert done.returncode == 0, done.stderr
        return done.stdout

    secret = run("add", url, "--event", "upload.processed").strip()
    [webhook] = [json.loads(line) for line in run("list", "--json").splitlines()]
    assert (webhook["url"], webhook["events"]) == (url, ["upload.processed"])
    run("test", webhook["id"])
    assert verified(receiver.next_request(url), secret)["type"] == "webhook.test"
    wait_until(lambda: "delivered" in run("deliveries", webhook["id"]), "the delivery ends")
    run("remove", webhook["id"])
    assert run("list", "--json") == ""
    refused = webhook_server.command("webhook", "test", webhook["id"], "--user", account.name)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_kill_between_event_and_delivery_loses_nothing(
    client: HttpClient, receiver: HTTPReceiver, webhook_server: Server
) -> None:
    """The last test of the module: it kills the server and starts it again."""
    url = receiver.new_url()
    receiver.status = 503
    webhook = add(client, url, events=["upload.processed"])
    path = client.read(scripted_png())
    webhook_server.stop(9)
    # An attempt that the kill cut is lost after a minute, and one that failed is repeated after seconds.
    run_query(webhook_server, "UPDATE core_webhookdelivery SET next_attempt_at = created_at")
    sent_before = receiver.requests.qsize()
    receiver.status = 204
    webhook_server.start()
    for _ in range(sent_before):
        receiver.requests.get()
    request = receiver.next_request(url)
    assert verified(request, webhook["secret"])["data"]["links"]["self"] == f"{path}/"
    wait_until(lambda: statuses(webhook_server, webhook) == ["delivered"], "the delivery ends")
    assert webhook["secret"] not in webhook_server.log


def statuses(server: Server, webhook: dict[str, Any]) -> list[str]:
    """Return the statuses of the deliveries of a webhook in the database."""
    query = "SELECT status FROM core_webhookdelivery WHERE webhook_id = ?"
    return [row[0] for row in run_query(server, query, uuid.UUID(webhook["id"]).hex)]
