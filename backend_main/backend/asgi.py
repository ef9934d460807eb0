"""ASGI application: the HTTP, WebSocket and lifespan stacks, each one expression."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend_main.backend.settings")
django_application = get_asgi_application()  # before the imports below: they need Django set up

from backend_main.backend.connection_limits import ConnectionLimits  # noqa: E402
from backend_main.backend.lifespan import Lifespan, ProcessRole  # noqa: E402
from backend_main.backend.proxy_headers import proxy_headers_middleware  # noqa: E402
from backend_main.backend.urls import stream_routes  # noqa: E402
from backend_main.core.consumers import UnknownPathConsumer, UploadConsumer  # noqa: E402
from backend_main.core.http import wires  # noqa: E402
from backend_main.core.http.cors import cors_middleware  # noqa: E402
from backend_main.core.http.middleware import shutdown_503_middleware, upgrade_required_middleware  # noqa: E402
from backend_main.core.http.path_prefix import path_prefix_middleware  # noqa: E402
from backend_main.core.http.request_gate import request_gate_middleware  # noqa: E402
from backend_main.core.http.request_target import (  # noqa: E402
    absolute_target_middleware,
    api_version_middleware,
)
from backend_main.core.http.route_checks import route_checks_middleware  # noqa: E402
from backend_main.core.http.security_headers import security_headers_middleware  # noqa: E402
from backend_main.core.http.types import Application  # noqa: E402
from backend_main.core.http.web_page import web_page_middleware  # noqa: E402

websocket_routes = URLRouter(
    [
        path("ws/core/upload/", UploadConsumer.as_asgi()),
        path("ws/core/upload/<uuid:instance_id>/", UploadConsumer.as_asgi()),
        *(path(route, socket) for route, socket in wires.websocket_routes().items()),  # type: ignore[arg-type] # the stub knows HTTP views only
        re_path("", UnknownPathConsumer.as_asgi()),
    ]
)


def create_application(role: ProcessRole, limits: ConnectionLimits) -> Application:
    """Return the application of a process with this role and these limits."""
    http_routes = route_checks_middleware(stream_routes.middleware(django_application), stream_routes)
    with_page = upgrade_required_middleware(web_page_middleware(http_routes))
    checked = request_gate_middleware(with_page, stream_routes)
    http = security_headers_middleware(cors_middleware(shutdown_503_middleware(checked)))
    protocols = ProtocolTypeRouter(
        {
            "http": api_version_middleware(http),
            "websocket": websocket_routes,
            "lifespan": Lifespan(role),
        }
    )
    return absolute_target_middleware(proxy_headers_middleware(path_prefix_middleware(protocols), limits))
