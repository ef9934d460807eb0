"""Paths of the models of PP-OCRv6. All are in installed packages; nothing is downloaded."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

CHARACTERS_METADATA_KEY = "character"
OWN_MODELS = Path(__file__).parents[2] / "models"


@dataclass(frozen=True)
class ModelFiles:
    """Files of one profile. `characters` is None if the metadata of the recognition model has them."""

    detection: Path
    recognition: Path
    characters: Path | None = None


def small() -> ModelFiles:
    """Return the models that the package rapidocr contains."""
    # Only its files are used, so it need not be imported.
    package = find_spec("rapidocr")
    assert package is not None  # a dependency of scanrill
    assert package.origin is not None
    models = Path(package.origin).parent / "models"
    return ModelFiles(models / "PP-OCRv6_det_small.onnx", models / "PP-OCRv6_rec_small.onnx")


def tiny() -> ModelFiles:
    """Return the models that scanrill contains."""
    return ModelFiles(
        OWN_MODELS / "PP-OCRv6_det_tiny.onnx",
        OWN_MODELS / "PP-OCRv6_rec_tiny.onnx",
        OWN_MODELS / "PP-OCRv6_tiny_characters.txt",
    )


PROFILES: dict[str, Callable[[], ModelFiles]] = {"accurate": small, "fast": tiny}
"""Profiles of the engine, the default first."""
