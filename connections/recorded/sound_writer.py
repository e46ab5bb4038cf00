"""SoundWriter: a sound file that is written piece by piece."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.errors import UserError


class SoundWriter:
    """16 bits a sample, or 32-bit floats if `exact`. Raises `UserError` if writing fails, as on a full
    disk."""

    def __init__(self, path: Path, rate_hz: int, channels: int, *, exact: bool = False) -> None:
        self._path = path
        subtype = "FLOAT" if exact else "PCM_16"
        try:
            self._file = soundfile.SoundFile(path, "w", rate_hz, channels, subtype=subtype)
        except soundfile.LibsndfileError as error:
            raise UserError(f"{path} cannot be written ({error.error_string})") from error

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append samples, shape (samples,) or (samples, channels), in [-1, 1]."""
        try:
            self._file.write(samples)
        except (soundfile.LibsndfileError, AssertionError) as error:  # it asserts that all was written
            raise UserError(f"{self._path} cannot be written to; is the disk full?") from error

    def close(self) -> None:
        """Close the file: it is complete."""
        self._file.close()
