"""Guards of requests to URLs that users name, and of their webhooks and resumable uploads."""

from __future__ import annotations

from . import Mutant

CORE = "backend_main/core/"
OUTGOING, WEBHOOKS, TUS = (
    "test_s39_outgoing.py",
    "../acceptance/test_webhooks.py",
    "../acceptance/test_resumable_uploads.py",
)


def _mutant(file: str, old: str, new: str, tests: str) -> Mutant:
    return Mutant("s39", CORE + file, old, new, tests)


MUTANTS = [
    _mutant("outgoing.py", "if port not in conf.outgoing_ports:", "if False:", f"{OUTGOING} -k wrong_form"),
    _mutant("outgoing.py", "address in allowed or is_public(address)", "True", f"{OUTGOING} -k not_public"),
    _mutant("outgoing.py", "if not all(address", "if not any(address", f"{OUTGOING} -k among_public"),
    _mutant(
        "outgoing.py",
        "(str(address), target.port), timeout=share",
        "(target.host, target.port), timeout=share",
        f"{OUTGOING} -k was_checked",
    ),
    _mutant("outgoing.py", "NEVER_PUBLIC)", "NEVER_PUBLIC[:0])", f"{OUTGOING} -k not_public"),
    _mutant(
        "webhooks/commands.py",
        "Webhook.objects.filter(owner=owner, pk=webhook_id)",
        "Webhook.objects.filter(pk=webhook_id)",
        f"{WEBHOOKS} -k other_users",
    ),
    _mutant(
        "webhooks/commands.py",
        "filter(pk=delivery_id, webhook=webhook)",
        "filter(pk=delivery_id)",
        f"{WEBHOOKS} -k other_users",
    ),
    _mutant(
        "uploads/resumable.py",
        "filter(owner=owner, pk=upload_id, expires_at",
        "filter(pk=upload_id, expires_at",
        f"{TUS} -k other_users",
    ),
    _mutant(
        "uploads/resumable.py", "        if announced > free:\n", "        if False:\n", f"{TUS} -k announced"
    ),
    _mutant(
        "uploads/resumable.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        f"{TUS} -k locked",
    ),
]
