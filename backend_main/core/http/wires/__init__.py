"""Interfaces of other products, so that their clients work with scanrill when their address is changed.

Each module serves one product, below its own prefix. It translates requests and responses, and knows only
commands, queries, exports and its own shapes. `requests` has what they share: it receives the file, creates
the upload and waits for its end. `word_places` has the places of words in the texts.

    tika        Apache Tika, `/tika`, and the external loader of Open WebUI, `/process`
    docling     docling-serve, `/docling/v1`; `docling_document` has its JSON,
                `docling_status` the WebSocket with the state of a task
    openai      chat completions of OpenAI, `/openai/v1`
    mistral     Mistral OCR, `/mistral/v1`
    azure       Azure Document Intelligence, `/documentintelligence`

`http.mcp` serves the tools of language models, `/mcp`.

The setting `wires` names those that are on. Uploads that come this way carry `metadata.via`, and are deleted
after `wire_retention_hours`.
"""

from __future__ import annotations

from ...conf import conf
from ..mcp import endpoint as mcp
from ..stream_routes import StreamRoute
from ..types import Application
from . import azure, docling, mistral, openai, tika
from .docling_status import status_socket

WIRES = {
    "tika": tika.ROUTES,
    "open-webui": tika.PROCESS_ROUTES,
    "docling": docling.ROUTES,
    "openai": openai.ROUTES,
    "mistral": mistral.ROUTES,
    "azure": azure.ROUTES,
    "mcp": mcp.ROUTES,
}


DOCLING_STATUS_PATH = "docling/v1/status/ws/<str:task_id>"


def websocket_routes() -> dict[str, Application]:
    """Return the WebSocket applications of the interfaces that are on, by their paths."""
    return {DOCLING_STATUS_PATH: status_socket} if "docling" in conf.wires else {}


def routes() -> list[StreamRoute]:
    """Return the routes of the interfaces that are on."""
    return [route for name, found in WIRES.items() if name in conf.wires for route in found]
