"""Step 3 — the HTTP door: tokens, and whether this server is alive and ready."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework_simplejwt.serializers import PasswordField, TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from . import auth, orm, readers, storage


class _ObtainSerializer(TokenObtainPairSerializer):
    token_class = auth.RefreshToken

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A password is what was typed, spaces and all.
        self.fields["password"] = PasswordField(trim_whitespace=False)


class TokenView(TokenObtainPairView):
    """`POST /api/token/` {username, password} → {access, refresh}."""

    _serializer_class = f"{__name__}.{_ObtainSerializer.__qualname__}"


class RefreshView(TokenRefreshView):
    """`POST /api/token/refresh/` {refresh} → {access}."""

    _serializer_class = f"{auth.__name__}.{auth.RefreshSerializer.__qualname__}"


async def healthz(_request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return JsonResponse({"status": "ok"})


async def readyz(_request: HttpRequest) -> HttpResponse:
    """Uploads are accepted and will be read; 503 with the reasons when not."""
    reasons = await orm.run(_reasons)
    if reasons:
        return JsonResponse({"status": "unavailable", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ok"})


async def index(_request: HttpRequest) -> HttpResponse:
    text = "scanrill reads scans. Connect to /ws/core/upload/ with a token; the README shows how.\n"
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _reasons() -> list[str]:
    reasons = []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            reasons.append("the database is not migrated")
    except Exception:
        reasons.append("the database does not answer")
    if not storage.writable():
        reasons.append("the storage cannot be written")
    if not readers.any_warm():
        reasons.append("no reader is warm yet")
    return reasons
