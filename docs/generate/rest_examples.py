"""Examples of the REST API, one for each method and route.

`tests/integration/test_docs.py` sends each of them to a running server and compares status and keys;
`tests/unit/docs` checks the responses against the message types.
"""

from __future__ import annotations

from typing import Any

import msgspec

from backend_main.core.protocol import messages as protocol
from backend_main.core.protocol import pages, readings
from backend_main.core.protocol.search_results import SearchHit
from backend_main.reading.engines.info import EngineInfo
from backend_main.reading.types import Block, TableCell, Word

from .rest_example import RestExample
from .transcripts import HASH, VALUES
from .webhook_examples import RESUMABLE_EXAMPLES, WEBHOOK_EXAMPLES

ID = VALUES["id"]
ACCESS, REFRESH = "eyJhbGciOiJIUzI1NiIs…", "eyJhbGciOiJIUzI1NiIs…"
INSTANCE: dict[str, Any] = {
    "id": ID,
    "owner": "ada",
    "filename": "letter.png",
    "image_path": f"{ID}/original.png",
    "image_hash": HASH,
    "content_type": "image/png",
    "bytes": 48213,
    "status": "processed",
    "error": None,
    "error_code": None,
    "page_count": 1,
    "pages_done": 1,
    "engine": "rapid",
    "languages": [],
    "metadata": {},
    "warnings": [],
    "created_at": VALUES["created_at"],
    "updated_at": VALUES["time"],
    "reading": 1,
    "confidence": 0.98,
    "uncertain_share": 0.0,
}
API_KEY: dict[str, Any] = {
    "id": "3b241101-e2bb-4255-8caf-4136c566a962",
    "name": "scanner in the hall",
    "prefix": "scr_5f1c09ab",
    "scope": "write",
    "created_at": "2026-03-01T09:12:44.120000Z",
    "expires_at": "2027-03-01T09:12:44.120000Z",
    "last_used_at": "2026-03-04T18:03:10.871000Z",
}
TEXTS = {"raw_text": "# Invoice\n\nTotal 12.00", "processed_text": "Invoice\n\nTotal 12.00"}
NO_TEXTS = {"raw_text": "", "processed_text": ""}
NO_PAGES: dict[str, Any] = {"page_count": None, "pages_done": 0, "confidence": None, "uncertain_share": None}
PENDING = {"status": "pending"} | NO_PAGES
CANCELLED = {"status": "cancelled", "error": "Cancelled"} | NO_PAGES
PAGE: dict[str, Any] = {
    "schema_version": 1,
    "number": 1,
    "width": 1000,
    "height": 1300,
    "markdown": "# Invoice\n\nTotal 12.00",
    "text": "Invoice\n\nTotal 12.00",
    "lines": [
        {
            "type": "Line",
            "page": 1,
            "text": "Invoice",
            "markdown": "# Invoice",
            "box": [[90.0, 112.0], [310.0, 112.0], [310.0, 150.0], [90.0, 150.0]],
            "confidence": 0.98,
            "role": "body",
            "span": [2, 9],
            "words": [
                {
                    "text": "Invoice",
                    "box": [[96.1, 116.2], [303.4, 116.2], [303.4, 145.7], [96.1, 145.7]],
                    "confidence": 0.98,
                    "start": 0,
                }
            ],
        }
    ],
    "blocks": [
        {
            "type": "heading",
            "box": [[90.0, 112.0], [310.0, 112.0], [310.0, 150.0], [90.0, 150.0]],
            "span": [0, 9],
            "lines": [0],
            "text": "Invoice",
            "level": 1,
        },
        {"type": "paragraph", "span": [11, 22], "text": "Total 12.00"},
    ],
    "warnings": [
        {
            "code": "script-not-read",
            "message": "1 line on page 1 is in Thai script, which neither the engine “rapid” nor another "
            "installed one reads.",
            "boxes": [[[90.0, 912.0], [410.0, 912.0], [410.0, 950.0], [90.0, 950.0]]],
            "share": None,
        }
    ],
    "confidence": 0.98,
    "uncertain_share": 0.0,
    "correction": None,
    "corrected_by": None,
    "corrected_at": None,
}
PAGE_WITHOUT_WORDS = PAGE | {
    "lines": [{name: value for name, value in line.items() if name != "words"} for line in PAGE["lines"]]
}
PAGE_WARNING = {"code": "small-print", "page": 1, "message": "The print on page 1 is lower than 12 pixels."}
READING: dict[str, Any] = {
    "number": 2,
    "is_current": True,
    "status": "processed",
    "error": None,
    "engine": "tesseract",
    "languages": ["de"],
    "profile": None,
    "pages": None,
    "page_count": 1,
    "pages_done": 1,
    "confidence": 0.98,
    "uncertain_share": 0.0,
    "seconds": 0.412,
    "read_at": VALUES["time"],
}
EARLIER_READING = READING | {"number": 1, "is_current": False, "engine": "rapid", "languages": []}
COMPARED_PAGE: dict[str, Any] = {
    "number": 1,
    "first_words": 3,
    "second_words": 3,
    "differing_words": 1,
    "first_confidence": 0.91,
    "second_confidence": 0.98,
    "first_seconds": 0.298,
    "second_seconds": 0.412,
    "changes": [
        {
            "kind": "replace",
            "first": "l2.00",
            "second": "12.00",
            "first_span": [15, 20],
            "second_span": [15, 20],
        }
    ],
}
HIT: dict[str, Any] = {
    "upload": INSTANCE,
    "field": "page",
    "snippet": {"text": "Invoice\nTotal 12.00", "marks": [[8, 13]]},
    "page": 1,
    "width": 1000,
    "height": 1300,
    "lines": [
        {
            "line": 1,
            "text": "Total 12.00",
            "marks": [[0, 5]],
            "boxes": [[[90.0, 212.0], [190.0, 212.0], [190.0, 250.0], [90.0, 250.0]]],
        }
    ],
}
PARTS: dict[type[msgspec.Struct], dict[str, Any]] = {
    Word: {
        "text": "Total",
        "box": [[90.0, 212.0], [160.0, 212.0], [160.0, 240.0], [90.0, 240.0]],
        "confidence": 0.97,
        "start": 0,
    },
    TableCell: {"row": 1, "column": 0, "column_span": 2, "text": "Total", "lines": [4]},
}
"""Examples of parts that no other example has."""
ENGINE: dict[str, Any] = {
    "name": "rapid",
    "installed": True,
    "unavailable_reason": None,
    "languages": ["de", "en", "fr"],
    "profiles": ["accurate", "fast"],
    "streams_tokens": False,
    "provides_boxes": True,
    "provides_words": True,
    "is_remote": False,
    "is_test_engine": False,
}


SESSION_ID = "0b54f6f5-7b2c-4f0e-9a52-3a2a1c6d9e10"
ORIGIN = {"Origin": "http://127.0.0.1:8000"}
# In the order in which a test can send them: each works on what the previous ones left.
EXAMPLES: dict[str, RestExample] = {
    "GET /": RestExample(note="an HTML page"),
    "GET /healthz": RestExample(response={"status": "ok"}),
    "GET /readyz": RestExample(response={"status": "ok"}),
    "POST /api/token/": RestExample(
        body={"username": "ada", "password": "a long and quiet river"},
        response={"refresh": REFRESH, "access": ACCESS},
    ),
    "POST /api/token/refresh/": RestExample(
        body={"refresh": REFRESH}, response={"access": ACCESS, "refresh": REFRESH}
    ),
    "POST /api/token/code/": RestExample(
        body={"code": "3pJx…"},
        headers=ORIGIN,
        response={"access": ACCESS},
        note="and the cookies `scanrill_refresh` and `scanrill_device`",
    ),
    "DELETE /api/token/": RestExample(headers=ORIGIN, status=204, note="an empty body"),
    "GET /api/me/": RestExample(
        response={"username": "ada", "max_upload_bytes": 1073741824, "version": "0.1.0"}
    ),
    "GET /api/sessions/": RestExample(
        response={
            "sessions": [
                {
                    "id": SESSION_ID,
                    "created_at": "2026-03-01T09:12:44.120000Z",
                    "last_used_at": "2026-03-04T18:03:10.871000Z",
                    "address": "192.0.2.44",
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                    "current": False,
                }
            ]
        }
    ),
    "DELETE /api/sessions/{session_id}/": RestExample(status=204, note="an empty body"),
    "POST /api/keys": RestExample(
        body={"name": "scanner in the hall", "scope": "write", "expires_in_days": 365},
        status=201,
        response=API_KEY | {"last_used_at": None, "key": "scr_5f1c09ab_…"},
    ),
    "GET /api/keys": RestExample(response={"keys": [API_KEY]}),
    "DELETE /api/keys/{key_id}": RestExample(status=204, note="an empty body"),
    "GET /api/problems": RestExample(
        response={
            "problems": [
                {"code": "body_too_large", "title": "Body too large", "status": 413, "retryable": False}
            ]
        }
    ),
    "GET /api/schemas/page.json": RestExample(note="the schema"),
    "GET /api/openapi.json": RestExample(note="the contract"),
    "GET /api/asyncapi.json": RestExample(note="the contract"),
    "GET /api/engines/": RestExample(
        response={"engines": [ENGINE], "default": "rapid"}, nested={"engines": EngineInfo}
    ),
    "POST /api/uploads/": RestExample(
        query="filename=letter.png&languages=en",
        file="the bytes of letter.png",
        status=201,
        response={
            "type": "Upload.created",
            "instance": INSTANCE | PENDING | {"languages": ["en"]},
            "duplicate": False,
        },
        kind=protocol.UploadMessage,
    ),
    "POST /api/read": RestExample(
        query="format=md", file="the bytes of letter.png", note="the text as Markdown, and `Location`"
    ),
    "GET /api/events": RestExample(query="stream=delta", note="a stream of events"),
    "GET /api/uploads/{id}/events": RestExample(query="stream=pages", note="a stream of events"),
    "GET /api/uploads/": RestExample(
        query="status=processed&limit=10",
        response={"type": "Upload.list", "list": [INSTANCE], "next": None},
        kind=protocol.ListMessage,
    ),
    "GET /api/search": RestExample(
        query="q=total+status:processed",
        response={"hits": [HIT], "next": None, "complete": True},
        nested={"hits": SearchHit},
    ),
    "GET /api/uploads/{id}/": RestExample(
        response=INSTANCE | {"page_warnings": [PAGE_WARNING]} | TEXTS,
        kind=protocol.Instance,
        nested={"page_warnings": protocol.UploadWarning},
    ),
    "PATCH /api/uploads/{id}/": RestExample(
        body={"filename": "invoice.png", "metadata": {"customer": 17}},
        response=INSTANCE | {"filename": "invoice.png", "metadata": {"customer": 17}} | TEXTS,
        kind=protocol.Instance,
    ),
    "GET /api/uploads/{id}/file": RestExample(
        headers={"Range": "bytes=0-99"}, status=206, note="the first 100 bytes of the file"
    ),
    "GET /api/uploads/{id}/pages/{n}": RestExample(
        query="words=true",
        response=PAGE,
        kind=pages.PageInstance,
        nested={"warnings": pages.PageWarning, "lines": pages.PageLine, "blocks": Block},
    ),
    "PATCH /api/uploads/{id}/pages/{n}": RestExample(
        body={"correction": "Invoice\n\nTotal 12.50"},
        response=PAGE_WITHOUT_WORDS
        | {
            "correction": "Invoice\n\nTotal 12.50",
            "corrected_by": "ada",
            "corrected_at": "2026-03-04T18:03:10.871000Z",
        },
        kind=pages.PageInstance,
    ),
    "GET /api/uploads/{id}/pages/{n}/image": RestExample(query="width=800", note="a JPEG"),
    "GET /api/uploads/{id}/export": RestExample(query="format=docx", note="a Word document"),
    "GET /api/export": RestExample(query=f"ids={ID}&format=md", note="a ZIP archive"),
    "GET /api/uploads/{id}/pages/{n}/figures/{k}": RestExample(note="a JPEG"),
    "GET /api/uploads/{id}/readings": RestExample(
        response={"readings": [READING, EARLIER_READING]},
        kind=readings.ReadingList,
        nested={"readings": readings.ReadingInfo},
    ),
    "GET /api/uploads/{id}/readings/{reading}": RestExample(
        response=EARLIER_READING | {"warnings": []} | TEXTS, kind=readings.Reading
    ),
    "GET /api/uploads/{id}/readings/{reading}/pages/{n}": RestExample(
        response=PAGE_WITHOUT_WORDS, kind=pages.PageInstance
    ),
    "GET /api/uploads/{id}/readings/{reading}/compare/{other}": RestExample(
        query="page=1",
        response={"first": EARLIER_READING, "second": READING, "pages": [COMPARED_PAGE]},
        kind=readings.ReadingComparison,
        nested={"pages": readings.PageComparison, "pages.changes": readings.WordChange},
    ),
    "POST /api/uploads/{id}/readings/{reading}/current": RestExample(
        response=INSTANCE | TEXTS, kind=protocol.Instance
    ),
    "DELETE /api/uploads/{id}/readings/{reading}": RestExample(status=204, note="an empty body"),
    "POST /api/uploads/{id}/retry": RestExample(
        body={"languages": ["de"], "priority": "batch"},
        response=INSTANCE | PENDING | {"languages": ["de"]} | NO_TEXTS,
        kind=protocol.Instance,
    ),
    "POST /api/uploads/{id}/cancel": RestExample(
        response=INSTANCE | CANCELLED | NO_TEXTS, kind=protocol.Instance
    ),
    "DELETE /api/uploads/{id}/": RestExample(response=INSTANCE | CANCELLED, kind=protocol.Instance),
    **WEBHOOK_EXAMPLES,
    **RESUMABLE_EXAMPLES,
}
