"""Commands `webhook …`: webhooks of users. They work beside a running server, which sends the deliveries."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import typer

from .data_dir import DataDir
from .keys import OwnerName, set_up_and_find
from .table import print_table

WebhookId = Annotated[UUID, typer.Argument(help="Id of the webhook.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]


def add_webhook(
    url: Annotated[str, typer.Argument(help="URL that gets the events.")],
    events: Annotated[
        list[str] | None,
        typer.Option("--event", help="Type of event, such as upload.processed; repeatable. Default: all."),
    ] = None,
    user: OwnerName = None,
    data_dir: DataDir = None,
) -> None:
    """Add a webhook, and print the secret of its signatures. It cannot be printed again."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.webhooks import commands

    fields = commands.parse_fields({"url": url, "events": events or []})
    webhook = commands.add(owner=owner, fields=fields)
    print(f"Webhook {webhook.pk} added. Its secret is:", file=sys.stderr)
    print(webhook.secret)


def list_webhooks(user: OwnerName = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the webhooks of a user, the oldest first."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.webhooks import commands
    from backend_main.core.webhooks.serializers import webhook_fields

    rows = [webhook_fields(webhook) for webhook in commands.webhooks_of(owner)]
    _print(rows, ("id", "url", "events", "enabled", "disabled_reason"), as_json=as_json)


def remove_webhook(webhook: WebhookId, user: OwnerName = None, data_dir: DataDir = None) -> None:
    """Remove a webhook with its deliveries."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.webhooks import commands

    commands.remove(owner=owner, webhook_id=webhook)
    print(f"Webhook {webhook} removed.", file=sys.stderr)


def list_deliveries(
    webhook: WebhookId, user: OwnerName = None, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """List the newest 100 deliveries of a webhook, the newest first."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.webhooks import commands
    from backend_main.core.webhooks.serializers import delivery_fields

    rows = [delivery_fields(found) for found in commands.deliveries_of(owner=owner, webhook_id=webhook)]
    names = ("id", "created_at", "type", "status", "attempts", "response_status", "response_ms")
    _print(rows, names, as_json=as_json)


def send_test_event(webhook: WebhookId, user: OwnerName = None, data_dir: DataDir = None) -> None:
    """Send a test event to a webhook. The server sends it within about a second."""
    owner = set_up_and_find(user, data_dir)
    from backend_main.core.webhooks import commands

    delivery = commands.send_test(owner=owner, webhook_id=webhook)
    print(f"Delivery {delivery.pk} waits. See `scanrill webhook deliveries {webhook}`.", file=sys.stderr)


def _print(rows: Iterable[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row, default=str))
        return
    names = [name.replace("_", " ") for name in columns]
    print_table(names, ([_cell(row[name]) for name in columns] for row in rows))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)
