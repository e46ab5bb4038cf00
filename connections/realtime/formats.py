"""AudioFormat: the encodings of audio in the messages of the Realtime protocol."""

import io
from dataclasses import dataclass
from typing import Any

import soundfile

from pipeline.audio import from_pcm16, to_pcm16
from pipeline.messages import Samples


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """A format by its MIME type: PCM of 16 bits, or G.711 as telephones use it."""

    name: str
    rate_hz: int
    bytes_per_sample: int
    g711: str = ""
    """The encoding by libsndfile's name for it; empty: PCM."""

    def decode(self, data: bytes) -> Samples:
        """Samples from bytes: mono float32 in [-1, 1]."""
        if not self.g711:
            return from_pcm16(data)
        layout: dict[str, Any] = {"format": "RAW", "subtype": self.g711, "channels": 1}
        samples: Samples = soundfile.read(
            io.BytesIO(data), samplerate=self.rate_hz, dtype="float32", **layout
        )[0]
        return samples

    def encode(self, samples: Samples) -> bytes:
        """Bytes from samples."""
        if not self.g711:
            return to_pcm16(samples)
        file = io.BytesIO()
        soundfile.write(file, samples, self.rate_hz, format="RAW", subtype=self.g711)
        return file.getvalue()


PCM = AudioFormat("audio/pcm", 24000, 2)
FORMATS = {
    format.name: format
    for format in (
        PCM,
        AudioFormat("audio/pcmu", 8000, 1, "ULAW"),
        AudioFormat("audio/pcma", 8000, 1, "ALAW"),
    )
}
