"""Protocols of the codecs: audio to codes and back, at once or as a stream with explicit state."""

import math
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.messages import Samples

Codes: TypeAlias = NDArray[np.int64]
"""Shape (codebooks, frames), values from 0 to the size of a codebook."""

Latents: TypeAlias = NDArray[np.float32]
"""Frames before quantization: shape (dimensions, frames)."""


@dataclass(frozen=True, slots=True)
class CodecInfo:
    """The figures of a codec, as it was opened."""

    name: str
    about: str
    """The model and its device."""
    sample_rate_hz: int
    frame_samples: int
    """Samples for each frame."""
    codebooks: int = 0
    """Codes in a frame; 0: its frames are not codes but numbers."""
    codebook_size: int = 0

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second."""
        return self.sample_rate_hz / self.frame_samples

    @property
    def bitrate_bps(self) -> float | None:
        """Bits per second of the codes, without entropy coding; None: there are no codes."""
        if not self.codebooks:
            return None
        return self.frame_rate_hz * self.codebooks * math.log2(self.codebook_size)

    def frames(self, samples: int) -> int:
        """Number of frames for a number of samples; the last frame may be filled up."""
        return -(-samples // self.frame_samples)


class Coder(Protocol):
    """Audio to frames, and frames to audio: the shared weights of a codec, or of a vocoder.

    Audio is mono float32 at the rate of `info`; NaN and infinities count as silence.
    """

    @property
    def info(self) -> CodecInfo: ...

    def encode(self, samples: Samples) -> NDArray[Any]:
        """The frames of all the audio; none for no audio."""
        ...

    def decode(self, coded: NDArray[Any]) -> Samples:
        """The audio of frames: at least as many samples as `encode` got. Raises `EngineError` for
        frames of another shape, or codes that there are not."""
        ...


class StreamingEncoder(Protocol):
    """The state of one stream of audio."""

    def feed(self, samples: Samples) -> Codes:
        """The next samples, as many as there are ▶ the codes of the frames that are complete, which may
        be none."""
        ...

    def finish(self) -> Codes:
        """The codes of the rest; the stream is over."""
        ...

    def latents(self, samples: Samples, *, last: bool = False) -> Latents:
        """The frames from which `feed` makes its codes; `last`: and those of `finish`.

        Two encoders are compared by these: rounding can change a code, and a real difference need not.
        """
        ...


class StreamingDecoder(Protocol):
    """The state of one stream of codes."""

    def feed(self, codes: Codes) -> Samples:
        """The next frames ▶ the audio that is complete, which may be none."""
        ...

    def finish(self) -> Samples:
        """The rest of the audio; the stream is over."""
        ...


@runtime_checkable
class Codec(Coder, Protocol):
    """A codec that streams. What a stream returns, joined, is what `encode` and `decode` return for the
    whole, but for rounding (about 1e-6 of full scale)."""

    def encode(self, samples: Samples) -> Codes: ...

    def decode(self, coded: Codes) -> Samples: ...

    def latents(self, samples: Samples) -> Latents:
        """The frames from which `encode` makes its codes."""
        ...

    def quantize(self, latents: Latents) -> Codes:
        """The nearest codes."""
        ...

    def open_encoder(self) -> StreamingEncoder:
        """A stream for audio that begins."""
        ...

    def open_decoder(self) -> StreamingDecoder:
        """A stream for codes that begin."""
        ...
