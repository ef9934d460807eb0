"""Server that `ingest.py` compares with: a simple Channels consumer, and one that only receives.

`/baseline/` parses the frame with `json`, decodes it with `base64`, then hashes and writes the file, on a
thread. `/receive/` ignores the frame, so its cost is that of the server alone. Both answer `list` at once.
uvicorn runs with the options of scanrill.

    python -m benchmarks.baseline_server PORT DIRECTORY
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

DIRECTORY = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()


class BaselineConsumer(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        reply = await sync_to_async(store, thread_sensitive=False)(text_data or "")
        await self.send(text_data=json.dumps(reply))


class ReceiveOnlyConsumer(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data="{}")


def store(text: str) -> dict[str, Any]:
    message = json.loads(text)
    if message["type"] == "list":
        return {"type": "Upload.list", "list": []}
    image = base64.b64decode(message["data"]["image_base64"])
    digest = hashlib.sha256(image).hexdigest()
    (DIRECTORY / digest).write_bytes(image)
    return {"type": "Upload.created", "instance": {"image_hash": digest}}


def main() -> None:
    settings.configure(ALLOWED_HOSTS=["*"])
    application = ProtocolTypeRouter(
        {
            "websocket": URLRouter(
                [
                    path("baseline/", BaselineConsumer.as_asgi()),
                    path("receive/", ReceiveOnlyConsumer.as_asgi()),
                ]
            )
        }
    )
    config = uvicorn.Config(
        application,
        port=int(sys.argv[1]),
        ws="wsproto",
        ws_per_message_deflate=False,
        ws_max_size=2**40,
        ws_ping_timeout=None,
        loop="uvloop",
        lifespan="off",
        log_level="warning",
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
