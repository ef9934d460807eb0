"""Skips of tests that need Tesseract or one of its languages."""

from __future__ import annotations

import pytest

from backend_main.reading.engines.tesseract import TesseractEngine


def needs_tesseract(*languages: str) -> None:
    """Skip the test unless Tesseract and its packs for these languages are installed."""
    if reason := TesseractEngine.unavailable_reason():
        pytest.skip(f"LOUD: {reason} The test of Tesseract did not run.")
    if missing := set(languages) - TesseractEngine.supported_languages():
        pytest.skip(f"LOUD: Tesseract lacks the language packs {', '.join(missing)}. The test did not run.")
