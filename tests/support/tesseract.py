"""Skips for tests that need Tesseract."""

from __future__ import annotations

import pytest

from backend_main.reading.engines.tesseract import TesseractEngine


def skip_without_tesseract(*languages: str) -> None:
    """Skip the test if Tesseract or one of the languages is not installed."""
    if reason := TesseractEngine.unavailable_reason():
        pytest.skip(f"LOUD: {reason} Tesseract was not tested")
    if missing := set(languages) - TesseractEngine.supported_languages():
        pytest.skip(f"LOUD: Tesseract has no {', '.join(missing)}; these were not tested")
