"""Whether Tesseract is here, and which of its languages."""

from __future__ import annotations

import pytest

from backend_main.reading.engines.tesseract import TesseractEngine


def skip_without_tesseract(*languages: str) -> None:
    """Skips the test where Tesseract, or a language of it, is not installed."""
    if lacking := TesseractEngine.unavailable_reason():
        pytest.skip(f"LOUD: {lacking} Nothing was said about Tesseract")
    if missing := set(languages) - TesseractEngine.supported_languages():
        pytest.skip(f"LOUD: Tesseract lacks {', '.join(missing)}; nothing was said about it")
