"""Step 10 - where the models of PP-OCRv6 lie: inside installed packages. Nothing is ever downloaded."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

CHARACTERS_METADATA_KEY = "character"
OWN_MODELS = Path(__file__).parents[2] / "models"


@dataclass(frozen=True)
class ModelFiles:
    """`characters` None: they stand in the recognition model itself, as a note."""

    detection: Path
    recognition: Path
    characters: Path | None = None


def small() -> ModelFiles:
    # Not imported: of the package only the files are wanted here.
    package = find_spec("rapidocr")
    assert package is not None  # scanrill depends on it
    assert package.origin is not None
    models = Path(package.origin).parent / "models"
    return ModelFiles(models / "PP-OCRv6_det_small.onnx", models / "PP-OCRv6_rec_small.onnx")


def tiny() -> ModelFiles:
    return ModelFiles(
        OWN_MODELS / "PP-OCRv6_det_tiny.onnx",
        OWN_MODELS / "PP-OCRv6_rec_tiny.onnx",
        OWN_MODELS / "PP-OCRv6_tiny_characters.txt",
    )


PROFILES: dict[str, Callable[[], ModelFiles]] = {"accurate": small, "fast": tiny}
"""The default first."""
