"""Client of docling-serve. Its modules warn of their own deprecated fields when they are imported."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from docling.service_client import DoclingServiceClient
    from docling_core.types.doc.document import DoclingDocument
    from docling_core.types.io import DocumentStream

__all__ = ["DoclingDocument", "DoclingServiceClient", "DocumentStream"]
