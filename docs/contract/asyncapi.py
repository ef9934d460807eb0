"""Document of the WebSocket API in AsyncAPI 3.0."""

from __future__ import annotations

from typing import Any

from backend_main import __version__
from backend_main.core.protocol import messages

from ..generate import descriptions, errors, protocol
from . import schemas

CHANNELS = {
    "uploads": ("/ws/core/upload/", "All uploads of the user."),
    "upload": ("/ws/core/upload/{instance_id}/", "One upload of the user."),
}
DURABLE = (messages.UploadMessage, messages.Processed, messages.Failed)
SECURITY_SCHEMES: dict[str, Any] = {
    "query": {"type": "httpApiKey", "in": "query", "name": "token", "description": "Access token."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "Access token or API key."},
}
REPLIES: dict[str, str] = {
    "subscribed": "Subscribed",
    "Upload.list": "ListMessage",
    "resynced": "Resynced",
    "authenticated": "Authenticated",
    "pong": "Pong",
}
"""Type of the reply by its `type`; all others are an upload."""


def document() -> dict[str, Any]:
    """Return the document."""
    kinds = protocol.messages()
    _, named = schemas.components(kinds)
    for kind in DURABLE:
        cursor = {"type": "string", "description": "Cursor of the event, after an opt-in."}
        named[kind.__name__]["properties"]["cursor"] = cursor
    sent = {kind.__name__: _message(kind.__name__) for kind in kinds}
    received = {_request_name(name): _message(_request_name(name)) for name in messages.REQUESTS}
    for name, request in messages.REQUESTS.items():
        about = schemas.plain(descriptions.REQUESTS.get(name, ""))
        named[_request_name(name)] = {"description": about, **schemas.request_schema(name, request)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "scanrill",
            "version": __version__,
            "description": "Uploads, their events and their live text over a WebSocket.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": {
            "server": {
                "host": "{host}",
                "protocol": "wss",
                "variables": {"host": {"default": "localhost:8000"}},
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in SECURITY_SCHEMES],
            }
        },
        "defaultContentType": "application/json",
        "channels": {key: _channel(key, [*received, *sent]) for key in CHANNELS},
        "operations": _operations(list(sent)),
        "components": {
            "schemas": named,
            "messages": received | sent,
            "securitySchemes": SECURITY_SCHEMES,
        },
        "x-close-codes": {
            str(found.code): {"final": found.final == "yes", "description": schemas.plain(found.meaning)}
            for found in errors.close_codes()
        },
    }


def _channel(key: str, names: list[str]) -> dict[str, Any]:
    address, about = CHANNELS[key]
    made: dict[str, Any] = {
        "address": address,
        "description": about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET"}},
    }
    if "{" in address:
        made["parameters"] = {"instance_id": {"description": "Id of the upload."}}
    return made


def _operations(sent: list[str]) -> dict[str, Any]:
    """Return the operations of the server: it receives requests, and sends events and live text."""
    made: dict[str, Any] = {}
    for key in CHANNELS:
        for name, request in messages.REQUESTS.items():
            reply = REPLIES.get(messages.REPLY_TYPES[request], _upload_reply(name))
            made[f"{name}.{key}"] = {
                "action": "receive",
                "channel": _channel_ref(key),
                "messages": [_ref(key, _request_name(name))],
                "reply": {
                    "channel": _channel_ref(key),
                    "messages": [_ref(key, reply), _ref(key, messages.ErrorMessage.__name__)],
                },
            }
        made[f"events.{key}"] = {
            "action": "send",
            "channel": _channel_ref(key),
            "messages": [_ref(key, name) for name in sent],
        }
    return made


def _upload_reply(name: str) -> str:
    return "Failed" if name == "cancel" else "UploadMessage"


def _request_name(name: str) -> str:
    return f"request.{name}"


def _message(name: str) -> dict[str, Any]:
    return {"name": name, "payload": {"$ref": schemas.REF.format(name=name)}}


def _channel_ref(key: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{key}"}


def _ref(key: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{key}/messages/{name}"}
