"""Recording: the sound in a file that a client has sent, decoded block by block."""

import importlib
import importlib.util
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import soundfile

from connections.access.http_errors import BadParameter
from connections.sound_reader import SoundReader
from pipeline.audio import NOT_READABLE, READABLE, clean, to_mono
from pipeline.messages import Samples
from pipeline.resampler import Resampler
from utils.installation import install_extra

MAX_S = 2 * 3600
"""Longest recording. A small file can hold days of silence."""

RATES_HZ = range(4000, 192_001)

_UNKNOWN = 1 << 62
"""Frames that libsndfile reports, at least, for a FLAC stream of unknown length."""

_FORMATS = "matroska,mov,aac"
"""Formats for PyAV, by FFmpeg's names: a list of files, or of addresses, would make it open them."""

_NEEDS_PYAV = (b"\x1a\x45\xdf\xa3", b"ftyp", b"\xff\xf1", b"\xff\xf9", b"ADIF")
"""Beginnings of WebM, MP4 (from its fifth byte on) and AAC."""


def sound_of(data: bytes, rate_hz: int) -> Iterator[Samples]:
    """The sound, mono, at `rate_hz`. Raises `BadParameter` for what cannot be decoded.

    libsndfile decodes WAV, FLAC, MP3, Ogg (Vorbis, Opus), AIFF and more; PyAV, if it is installed, the
    rest, such as the WebM of browsers.
    """
    length_s = 0.0
    resampler, from_hz = Resampler(rate_hz, rate_hz), rate_hz
    for block, block_hz in _decoded(data):
        if block_hz not in RATES_HZ:
            raise BadParameter(
                f"file: expected a sample rate from {RATES_HZ[0]} to {RATES_HZ[-1]} Hz, got {block_hz}",
                "file",
            )
        length_s += len(block) / block_hz
        _expect_length(length_s)
        if block_hz != from_hz:
            resampler, from_hz = Resampler(block_hz, rate_hz), block_hz
        yield resampler.feed(clean(to_mono(block)))


def _expect_length(seconds: float) -> None:
    if seconds > MAX_S:
        raise BadParameter(f"file: expected at most {MAX_S / 3600:g} hours of sound", "file")


def _decoded(data: bytes) -> Iterator[tuple[Samples, int]]:
    """Blocks of shape (samples, channels), with their rate."""
    if not data:
        raise BadParameter("file: expected a recording, got an empty file", "file")
    try:
        with SoundReader(io.BytesIO(data)) as file:
            if file.frames < _UNKNOWN:
                _expect_length(file.frames / file.samplerate)
            for block in file.in_blocks(file.samplerate):
                yield block, file.samplerate
        return
    except soundfile.SoundFileError:
        if importlib.util.find_spec("av") is None:
            raise _not_decodable(data) from None
    yield from _by_pyav(data)


def _by_pyav(data: bytes) -> Iterator[tuple[Samples, int]]:
    av: Any = importlib.import_module("av")
    try:
        with av.open(io.BytesIO(data), options={"format_whitelist": _FORMATS}) as container:
            if not container.streams.audio:
                raise BadParameter("file: expected sound, got a file without any", "file")
            for frame in container.decode(audio=0):
                yield _samples_of(av, frame), frame.sample_rate
    except av.FFmpegError:
        raise _not_decodable(b"") from None


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
