"""Server that `fan_out.py` compares with: consumer of the Channels tutorial, its channel layer, and `json`.

A socket on `/ws/USER/` joins the group of the user. The server stores each incoming message as a row and
sends it to the group. Messages of other processes to the group reach the socket too. Redis is on port
`BENCH_REDIS_PORT`, the database is the file `BENCH_DATABASE`, both with default settings.

    daphne benchmarks.tutorial_server:application
    uvicorn benchmarks.tutorial_server:application
"""

import json
import os
from typing import Any

import django
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection, models
from django.urls import path

from benchmarks.fan_out_publisher import redis_host

settings.configure(
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [redis_host(int(os.environ["BENCH_REDIS_PORT"]))]},
        }
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()


class Event(models.Model):
    """Stored message of a user."""

    user = models.CharField(max_length=100, db_index=True)
    message = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "tutorial"


class StatusConsumer(AsyncWebsocketConsumer):
    """Consumer of the tutorial, with a group per user and a row per message."""

    async def connect(self) -> None:
        self.user = self.scope["url_route"]["kwargs"]["user"]
        self.group_name = f"user_{self.user}"
        await self.channel_layer.group_add(self.group_name, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code: int) -> None:
        await self.channel_layer.group_discard(self.group_name, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = json.loads(text_data or "")
        await database_sync_to_async(Event.objects.create)(user=self.user, message=message)
        await self.channel_layer.group_send(self.group_name, {"type": "upload.status", "message": message})

    async def upload_status(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(event["message"]))


def create_table() -> None:
    with connection.schema_editor() as editor:
        if Event._meta.db_table not in connection.introspection.table_names():
            editor.create_model(Event)
    connection.close()


create_table()
application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/<str:user>/", StatusConsumer.as_asgi())]),
    }
)
