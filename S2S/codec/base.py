"""Protocols of the codecs: audio to codes and back, as a whole or as a stream with explicit state."""

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
    """The properties of a codec, as loaded."""

    name: str
    about: str
    """The model and its device."""
    sample_rate_hz: int
    frame_samples: int
    """Samples for each frame."""
    codebooks: int = 0
    """Codes in each frame; 0: the frames are vectors of numbers, not codes."""
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
        """The number of frames for so many samples; the last frame may be padded."""
        return -(-samples // self.frame_samples)


class Coder(Protocol):
    """Audio to frames, and frames to audio: the shared weights of a codec, or of a vocoder.

    Audio is mono float32 at the rate of `info`; NaN and infinities count as silence.
    """

    @property
    def info(self) -> CodecInfo: ...

    def encode(self, samples: Samples) -> NDArray[Any]:
        """Encode all the audio; no audio gives no frames."""
        ...

    def decode(self, coded: NDArray[Any]) -> Samples:
        """The audio of frames: at least as many samples as `encode` got. Raises `EngineError` for frames
        of another shape, or for codes outside the codebook."""
        ...


class StreamingEncoder(Protocol):
    """The state of one stream of audio."""

    def feed(self, samples: Samples) -> Codes:
        """The next samples, any number ▶ the codes of the frames that are now complete, possibly
        none."""
        ...

    def finish(self) -> Codes:
        """End the stream; returns the codes of the rest."""
        ...

    def latents(self, samples: Samples, *, last: bool = False) -> Latents:
        """The latents that `feed` quantizes; with `last`, those of `finish`, too.

        Tests compare these, not codes: rounding can change a code, while a real difference may not.
        """
        ...


class StreamingDecoder(Protocol):
    """The state of one stream of codes."""

    def feed(self, codes: Codes) -> Samples:
        """The next frames ▶ the audio that is now complete, possibly none."""
        ...

    def finish(self) -> Samples:
        """End the stream; returns the rest of the audio."""
        ...


@runtime_checkable
class Codec(Coder, Protocol):
    """A codec that streams. The outputs of a stream, joined, equal those of `encode` and `decode` for
    the whole, except for rounding (about 1e-6 of full scale)."""

    def encode(self, samples: Samples) -> Codes: ...

    def decode(self, coded: Codes) -> Samples: ...

    def latents(self, samples: Samples) -> Latents:
        """The latents that `encode` quantizes."""
        ...

    def quantize(self, latents: Latents) -> Codes:
        """The nearest codes of latents."""
        ...

    def open_encoder(self) -> StreamingEncoder:
        """Open a stream of audio to be encoded."""
        ...

    def open_decoder(self) -> StreamingDecoder:
        """Open a stream of codes to be decoded."""
        ...
