"""Recording: the sound in a file that a client has sent, decoded block by block."""

import importlib
import importlib.util
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import soundfile

from connections.access.http_errors import BadParameter
from connections.sound_reader import UNKNOWN_FRAMES, SoundReader, damage_of
from pipeline.audio import NOT_READABLE, READABLE, clean, to_mono
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from utils.installation import install_extra

MAX_S = 2 * 3600
"""Longest recording. A small file can hold days of silence."""

RATES_HZ = range(4000, 192_001)

_FORMATS = "matroska,mov,aac"
"""Formats for PyAV, by FFmpeg's names: a list of files, or of addresses, would make it open them."""

_NEEDS_PYAV = (b"\x1a\x45\xdf\xa3", b"ftyp", b"\xff\xf1", b"\xff\xf9", b"ADIF")
"""Beginnings of WebM, MP4 (from its fifth byte on) and AAC."""


class SentSound:
    """The sound of a file, mono, at `rate_hz`, block by block.

    libsndfile decodes WAV, FLAC, MP3, Ogg (Vorbis, Opus), AIFF and more; PyAV, if it is installed, the
    rest, such as the WebM of browsers.
    """

    def __init__(self, data: bytes, rate_hz: int) -> None:
        self._data = data
        self._rate_hz = rate_hz
        self.damage = ""
        """The remark, once all was read, on a file of which something is missing."""

    def __iter__(self) -> Iterator[Samples]:
        """The blocks. Raises `BadParameter` for what cannot be decoded."""
        length_s = 0.0
        resampler, from_hz = Resampler(self._rate_hz, self._rate_hz), self._rate_hz
        for block, block_hz in self._decoded():
            if block_hz not in RATES_HZ:
                raise BadParameter(
                    f"file: expected a sample rate from {RATES_HZ[0]} to {RATES_HZ[-1]} Hz, "
                    f"got {block_hz}",
                    "file",
                )
            length_s += len(block) / block_hz
            _expect_length(length_s)
            if block_hz != from_hz:
                resampler, from_hz = Resampler(block_hz, self._rate_hz), block_hz
            yield resampler.feed(clean(to_mono(block)))
        if not length_s:
            raise BadParameter("file: expected a recording, got one without any audio", "file")

    def _decoded(self) -> Iterator[tuple[Samples, int]]:
        """Blocks of shape (samples, channels), with their rate."""
        data = self._data
        if not data:
            raise BadParameter("file: expected a recording, got an empty file", "file")
        try:
            with SoundReader(io.BytesIO(data)) as file:
                if file.frames < UNKNOWN_FRAMES:
                    _expect_length(file.frames / file.samplerate)
                for block in file.in_blocks(file.samplerate):
                    yield block, file.samplerate
                self.damage = file.damage
            return
        except soundfile.SoundFileError:
            if importlib.util.find_spec("av") is None:
                raise _not_decodable(data) from None
        yield from self._by_pyav()

    def _by_pyav(self) -> Iterator[tuple[Samples, int]]:
        av: Any = importlib.import_module("av")
        read_s = promised_s = 0.0
        try:
            with av.open(io.BytesIO(self._data), options={"format_whitelist": _FORMATS}) as container:
                if not container.streams.audio:
                    raise BadParameter("file: expected sound, got a file without any", "file")
                promised_s = _promised_s(container)
                for frame in container.decode(audio=0):
                    yield _samples_of(av, frame), frame.sample_rate
                    read_s += frame.samples / frame.sample_rate
        except av.FFmpegError:
            if not read_s:
                raise _not_decodable(b"") from None
            self.damage = damage_of(read_s, promised_s, broken=True)
        else:
            self.damage = damage_of(read_s, promised_s, broken=False)


def _expect_length(seconds: float) -> None:
    if seconds > MAX_S:
        raise BadParameter(f"file: expected at most {MAX_S / 3600:g} hours of sound", "file")


def _promised_s(container: Any) -> float:
    """The length according to the header; 0 if it does not say, as with AAC, whose length is a guess."""
    [sound, *_] = container.streams.audio
    if container.format.name == "aac":
        return 0.0
    if sound.duration is not None:
        return float(sound.duration * sound.time_base)
    alone = len(container.streams) == 1
    return container.duration / 1e6 if alone and container.duration is not None else 0.0


def _samples_of(av: Any, frame: Any) -> Samples:
    """The samples of a frame, shape (samples, channels)."""
    [converted] = av.AudioResampler(format="flt", layout=frame.layout.name).resample(frame)
    samples: Samples = np.asarray(converted.to_ndarray()).reshape(frame.samples, -1)
    return samples


def _not_decodable(data: bytes) -> BadParameter:
    if any(data[:8].startswith(head) or data[4:8] == head for head in _NEEDS_PYAV):
        return BadParameter(
            "file: WebM, MP4 and AAC need PyAV on this server; its operator can type: "
            f"{install_extra('webrtc')}",
            "file",
        )
    kinds = READABLE
    if importlib.util.find_spec("av") is not None:
        kinds = "WAV, FLAC, MP3, Ogg, AIFF, WebM, MP4 or AAC"
    return BadParameter(f"file: expected sound as {kinds}, got {NOT_READABLE}", "file")
