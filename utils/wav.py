"""Audio as a WAV file in memory."""

import io

import soundfile

from pipeline.audio import clean
from pipeline.messages import Samples


def as_wav(samples: Samples, rate_hz: int) -> bytes:
    """Encode mono float32 as a WAV file of int16, which every server reads."""
    file = io.BytesIO()
    soundfile.write(file, clean(samples), rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()
