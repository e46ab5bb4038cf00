"""writable: the folder of the models, checked before anything is downloaded into it."""

import tempfile
from pathlib import Path

from pipeline.errors import Unavailable


def expect_writable(folder: Path) -> None:
    """Create a folder, unless it exists. Raises `Unavailable` if nothing can be kept in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Unavailable(
            f"this folder cannot be written: {folder} ({error.strerror}); set MODEL_CACHE_DIR to another"
        ) from error
