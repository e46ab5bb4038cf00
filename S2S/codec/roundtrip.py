"""Encoding and decoding a recording, as a whole and as a stream, with times and distances."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import Samples
from S2S.codec.base import Codec, Coder, Codes
from S2S.codec.distances import Distances, distances

T = TypeVar("T")

STREAM_TOLERANCE = 0.01
"""Largest difference between a stream and the whole, in parts of the RMS: about 0.001 on a GPU that
rounds to TF32, about 1 for a stream that loses its state."""


@dataclass(frozen=True, slots=True)
class Streaming:
    """A stream, frame by frame, compared with the whole."""

    encode_s: float
    decode_s: float
    latents_off: float
    """Largest difference of the latents, in parts of their RMS."""
    codes_equal: float
    """Share of the codes that are the same."""
    audio_off: float
    """Largest difference of the audio decoded from the same codes, in parts of its RMS."""

    @property
    def equal(self) -> bool:
        """True if the differences are no more than rounding."""
        return max(self.latents_off, self.audio_off) <= STREAM_TOLERANCE


@dataclass(frozen=True, slots=True)
class Roundtrip:
    """A recording that was encoded and decoded, and the time that this took."""

    decoded: Samples
    """Audio of the length of the recording, at the rate of the codec."""
    frames: int
    encode_s: float
    decode_s: float
    streaming: Streaming | None
    """None: the codec does not stream."""
    distances: Distances


def roundtrip(coder: Coder, samples: Samples) -> Roundtrip:
    """Encode and decode a recording of at least one sample, at the rate of the codec."""
    info = coder.info
    # warm up: the first call is slow
    coder.decode(coder.encode(np.zeros(info.frame_samples, np.float32)))
    coded, encode_s = _timed(lambda: coder.encode(samples))
    audio, decode_s = _timed(lambda: coder.decode(coded))
    decoded = audio[: len(samples)]
    return Roundtrip(
        decoded=decoded,
        frames=info.frames(len(samples)),
        encode_s=encode_s,
        decode_s=decode_s,
        streaming=_stream(coder, samples, coded, audio) if isinstance(coder, Codec) else None,
        distances=distances(samples, decoded, info.sample_rate_hz),
    )


def _stream(codec: Codec, samples: Samples, codes: Codes, audio: Samples) -> Streaming:
    """Compare the streams with the codes and the audio of the whole."""
    encoder, decoder, frame = codec.open_encoder(), codec.open_decoder(), codec.info.frame_samples

    def encode() -> tuple[list[NDArray[np.float32]], list[Codes]]:
        latents, streamed = [], []
        for start in range(0, len(samples), frame):
            block = samples[start : start + frame]
            latents.append(encoder.latents(block, last=start + frame >= len(samples)))
            streamed.append(codec.quantize(latents[-1]))
        return latents, streamed

    def decode() -> list[Samples]:
        pieces = [decoder.feed(codes[:, at : at + 1]) for at in range(codes.shape[1])]
        return [*pieces, decoder.finish()]

    (latents, streamed), encode_s = _timed(encode)
    pieces, decode_s = _timed(decode)
    return Streaming(
        encode_s=encode_s,
        decode_s=decode_s,
        latents_off=_off(np.concatenate(latents, axis=1), codec.latents(samples)),
        codes_equal=float((np.concatenate(streamed, axis=1) == codes).mean()),
        audio_off=_off(np.concatenate(pieces), audio),
    )


def _off(streamed: NDArray[np.float32], whole: NDArray[np.float32]) -> float:
    if streamed.shape != whole.shape:
        return float("inf")
    rms = float(np.sqrt(np.square(whole).mean()))
    return float(np.abs(streamed - whole).max()) / max(rms, 1e-9)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began
