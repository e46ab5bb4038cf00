"""Audio as a WAV file that is never on a disk."""

import io

import soundfile

from pipeline.audio import clean
from pipeline.messages import Samples


def as_wav(samples: Samples, rate_hz: int) -> bytes:
    """Mono float32 ▶ the bytes of a WAV file, int16, which every server reads."""
    file = io.BytesIO()
    soundfile.write(file, clean(samples), rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()
