"""Served audio: the answer of a speech server, decoded by its actual format, not the requested one."""

import io
import itertools
import re
from collections.abc import Iterator

import numpy as np
import soundfile

from pipeline.audio import to_mono
from pipeline.messages import AudioChunk, Samples
from TTS.sound_format import (
    DECODABLE,
    FRAME_BYTES,
    HEAD_BYTES,
    PCM,
    WAV,
    begins_frames,
    is_text,
    pcm_format,
    sound_format,
)
from utils.pcm_stream import PcmStream
from utils.wav_stream import WavStream

MAX_BYTES = 1 << 26
"""Compressed audio is decoded once it is complete; no answer to `MAX_CHARS` is longer than 64 MB."""

MAX_S = 600
"""Longest audio of one answer. A server that never stops would fill the memory, since an answer is
received faster than it is played."""

MIN_JUDGED = HEAD_BYTES // 2
"""Number of samples that is enough to tell noise from speech."""

NOISE_RMS = 0.3
NOISE_CORRELATION = 0.2
"""Bytes of another format that are read as int16 are white noise near full scale: their level is 0.58
(at least 0.35 if every other sample is 0), and neighbors have a correlation of 0. Speech hisses, too,
but less: with its peak at full scale, blocks of 128 samples below this correlation had a level of at
most 0.2 (35 recordings of people) or 0.14 (sentences full of "s", spoken by Piper and eSpeak)."""

_BEGINNINGS = {
    "FLAC": re.compile(rb"fLaC\0"),
    "Ogg": re.compile(rb"OggS\0\x02"),
    "MP3": re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]..(?:.{32}|.{17}|.{9})(?:Xing|Info)", re.DOTALL),
}
"""Beginnings of files. Some servers send one for each sentence of a text, and libsndfile decodes only
the first. MP3: a frame that holds the length of the file; one without it goes on to the end."""

_NEVER = re.compile(rb"(?!)")

_UNKNOWN = "audio in an unknown format"
_WHAT_TO_DO = "let the server send pcm, wav, mp3, ogg or flac"


class NotDecodable(Exception):
    """The answer is not audio, or cannot be decoded. The text completes "The server …"."""


def decoded(
    blocks: Iterator[bytes], content_type: str, rate_hz: int, stage: str = "tts"
) -> Iterator[AudioChunk]:
    """The audio in an answer, mono. Raw samples and WAV are decoded as they come, other formats once
    complete. `rate_hz` is that of raw samples whose content type does not name it; errors name the flags
    of `stage`.

    Raises `NotDecodable`. An empty answer yields nothing.
    """
    head = _read(blocks, b"", HEAD_BYTES)
    if begins_frames(head):
        head = _read(blocks, head, FRAME_BYTES)
    if not head:
        return
    kind = sound_format(head, content_type)
    try:
        if kind == PCM:
            yield from _as_it_comes(PcmStream(pcm_format(content_type, rate_hz)), head, blocks)
        elif kind == WAV:
            yield from _as_it_comes(WavStream(), head, blocks)
        elif kind in DECODABLE:
            yield from _whole(_read(blocks, head, MAX_BYTES), _BEGINNINGS.get(kind, _NEVER))
        elif is_text(head):
            raise NotDecodable(
                f"sent text where audio was expected; check --{stage}_base_url and --{stage}_model_name"
            )
        else:
            raise NotDecodable(f"sent {f'{kind} audio' if kind else _UNKNOWN}; {_WHAT_TO_DO}")
    except (ValueError, soundfile.SoundFileError) as error:
        raise NotDecodable(f"sent {kind} that cannot be decoded; {_WHAT_TO_DO}") from error


def is_noise(samples: Samples) -> bool:
    """True for a block that is white noise near full scale, and so not PCM."""
    if len(samples) < MIN_JUDGED:
        return False
    power = float(np.mean(np.square(samples)))
    together = float(np.mean(samples[1:] * samples[:-1]))
    return power > NOISE_RMS**2 and together < NOISE_CORRELATION * power


def _read(blocks: Iterator[bytes], head: bytes, least: int) -> bytes:
    """`head` and the next blocks, until there are `least` bytes or no more come."""
    data = bytearray(head)
    while len(data) < least:
        block = next(blocks, None)
        if block is None:
            break
        data += block
    return bytes(data)


def _as_it_comes(
    stream: PcmStream | WavStream, head: bytes, blocks: Iterator[bytes]
) -> Iterator[AudioChunk]:
    length_s = 0.0
    for block in itertools.chain([head], blocks):
        samples = stream.feed(block)
        if is_noise(samples):
            raise NotDecodable(f"sent {_UNKNOWN}; {_WHAT_TO_DO}")
        if len(samples):
            length_s += len(samples) / stream.rate_hz
            if length_s > MAX_S:
                raise NotDecodable(f"sent more than {MAX_S} s of audio for one answer")
            yield AudioChunk(samples, stream.rate_hz)


def _whole(data: bytes, beginning: re.Pattern[bytes]) -> Iterator[AudioChunk]:
    if len(data) >= MAX_BYTES:
        raise NotDecodable(f"sent more than {MAX_BYTES >> 20} MB of audio")
    later = [found.start() for found in beginning.finditer(data, HEAD_BYTES)]
    for start, end in itertools.pairwise([0, *later, len(data)]):
        file = io.BytesIO(data[start:end])
        samples, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
        if len(samples):
            yield AudioChunk(to_mono(samples), rate_hz)
