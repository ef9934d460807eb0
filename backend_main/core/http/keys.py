"""REST views of the user's own API keys. Only a token may use them: see `authentication.require_token`."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..auth import api_keys, authentication
from ..auth.authentication import Identity
from ..errors import RequestError
from ..models import ApiKey, KeyScope
from .rest import StrictJSONParser, owner_of, respond

FIELDS = frozenset({"name", "scope", "expires_in_days"})


class KeysView(APIView):
    """`GET /api/keys` → {keys}, the newest first; `POST` {name, scope, expires_in_days} → the key."""

    parser_classes = [StrictJSONParser]

    def get(self, request: Request) -> Response:
        _require_token(request)
        return respond({"keys": [_key_json(key) for key in api_keys.active(owner_of(request))]})

    def post(self, request: Request) -> Response:
        _require_token(request)
        new = api_keys.create(
            owner=owner_of(request), **_new_key_fields(cast("dict[str, Any]", request.data))
        )
        response = respond(_key_json(new.key) | {"key": new.secret})
        response.status_code = 201
        return response


class KeyView(APIView):
    """`DELETE /api/keys/{id}`: revoke a key; its sockets close."""

    def delete(self, request: Request, key_id: UUID) -> Response:
        _require_token(request)
        api_keys.revoke(owner=owner_of(request), key_id=key_id)
        return Response(status=204)


def _require_token(request: Request) -> None:
    authentication.require_token(cast("Identity", request.auth))


def _new_key_fields(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a new key. Raises `RequestError` for unknown ones and wrong types."""
    problems = dict.fromkeys(sorted(data.keys() - FIELDS), "Unknown field.")
    for field in ("name", "scope"):
        if not isinstance(data.get(field, "" if field == "name" else KeyScope.WRITE), str):
            problems[field] = "A text is expected."
    days = data.get("expires_in_days")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int)):
        problems["expires_in_days"] = "A whole number of days is expected, or null."
    if problems:
        raise RequestError(problems)
    return {"name": ""} | data


def _key_json(key: ApiKey) -> dict[str, Any]:
    return {
        "id": str(key.pk),
        "name": key.name,
        "prefix": key.prefix,
        "scope": key.scope,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
