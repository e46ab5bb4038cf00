"""SoundEncoder: writes audio as it comes in a format that a client asked for."""

import io
import struct
from typing import Any, Literal, TypeAlias

import numpy as np
import soundfile

from pipeline.audio import clean, to_pcm16
from pipeline.messages import AudioChunk, Samples
from pipeline.resampler import Resampler

SoundFormat: TypeAlias = Literal["mp3", "opus", "flac", "wav", "pcm"]

RATE_HZ = 24000
"""The rate of OpenAI's audio, which Opus and MP3 take, too."""

MEDIA_TYPES: dict[SoundFormat, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg;codecs=opus",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": f"audio/pcm;rate={RATE_HZ};channels=1",
}

_CODECS: dict[str, dict[str, Any]] = {
    # a constant rate, or players would guess the length of a stream from its first frames; 80 kbit/s
    "mp3": {
        "format": "MP3",
        "subtype": "MPEG_LAYER_III",
        "bitrate_mode": "CONSTANT",
        "compression_level": 0.5,
    },
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
}

_WAV_HEADER = (
    b"RIFF\xff\xff\xff\xffWAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    + b"data\xff\xff\xff\xff"
)
"""The header of a stream whose length is not known yet."""


class SoundEncoder:
    """Mono, at `RATE_HZ`. MP3, Opus, WAV and PCM can be sent as they are written; FLAC comes as a whole,
    since its header holds the length."""

    def __init__(self, sound_format: SoundFormat) -> None:
        self._whole = sound_format == "flac"
        self._written = io.BytesIO()
        self._taken = 0
        self._file: soundfile.SoundFile | None = None
        if sound_format in _CODECS:
            self._file = soundfile.SoundFile(self._written, "w", RATE_HZ, 1, **_CODECS[sound_format])
        elif sound_format == "wav":
            self._written.write(_WAV_HEADER)
        self._resampler = Resampler(RATE_HZ, RATE_HZ)
        self._from_hz = RATE_HZ

    def feed(self, chunk: AudioChunk) -> bytes:
        """Add audio of any rate. Returns what can be sent; it may be empty."""
        if chunk.sample_rate_hz != self._from_hz:
            self._from_hz = chunk.sample_rate_hz
            self._resampler = Resampler(self._from_hz, RATE_HZ)
        self._write(self._resampler.feed(chunk.samples))
        return b"" if self._whole else self._take()

    def end(self) -> bytes:
        """Returns the rest."""
        self._write(self._resampler.feed(np.zeros(self._from_hz // 100, np.float32)))
        if self._file is not None:
            self._file.close()
        return self._take()

    def _write(self, samples: Samples) -> None:
        samples = clean(samples)
        if self._file is None:
            self._written.write(to_pcm16(samples))
        else:
            self._file.write(samples)

    def _take(self) -> bytes:
        """The bytes since the last time. MP3 goes back to its header at the end, for players that seek;
        a client that has the header already does without."""
        with self._written.getbuffer() as written:
            data = bytes(written[self._taken :])
        self._taken += len(data)
        return data
