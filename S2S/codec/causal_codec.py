"""CausalCodec: the common part of EnCodec and Mimi. A subclass adds the order of its layers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig

from pipeline.errors import EngineError
from pipeline.messages import Samples
from S2S.codec.base import Codec, CodecInfo, Codes, Latents
from S2S.codec.causal_layers import Tensor, is_causal
from utils.pretrained import Pretrained, fetch_pretrained

_NO_SAMPLES: Samples = np.empty(0, np.float32)


class StreamPart(Protocol):
    """Layers with their state on one stream, such as `CausalLayers`."""

    def feed(self, block: Tensor, last: bool) -> Tensor: ...


def load_causal(kind: Any, model_name: str, expected: str, device: str) -> tuple[Any, Pretrained]:
    """A model with causal layers, and its files. Raises `UserError`, also for a model that needs the
    whole recording or its loudness."""
    files = fetch_pretrained(model_name, "--model", expected, files=["*.json", "*.safetensors"])
    found = files.load(AutoConfig).model_type
    if found != kind.config_class.model_type:
        raise files.refuse(f"a model of type {found}")
    model = files.load_model(kind, device)
    if not is_causal((model.encoder, model.decoder)):
        raise files.refuse("one that needs the whole recording (its layers are not causal)")
    return model, files


class CausalCodec(ABC, Codec):
    """A codec of Transformers with causal layers; audio is mono.

    `encode` and `decode` call the model as Transformers does, and need memory for the whole recording;
    a stream calls the layers one by one, and needs memory for a block only.
    """

    def __init__(self, model: Any, info: CodecInfo) -> None:
        self._model = model
        self._info = info

    @property
    def info(self) -> CodecInfo:
        return self._info

    def encode(self, samples: Samples) -> Codes:
        """The codes of all the audio."""
        return self.quantize(self.latents(samples))

    def latents(self, samples: Samples) -> Latents:
        """The latents that `encode` quantizes."""
        if not len(samples):
            return self._no_latents()
        with torch.inference_mode():
            return _array(self._encode(self._block(samples))[0])

    def quantize(self, latents: Latents) -> Codes:
        """The nearest codes: each codebook encodes the remainder that those before it have left."""
        if not latents.shape[1]:
            return np.empty((self.info.codebooks, 0), np.int64)
        with torch.inference_mode():
            codes: Codes = self._quantize(self._tensor(latents)).cpu().numpy()
        return codes

    def decode(self, coded: Codes) -> Samples:
        """Decode codes to `frame_samples` of audio a frame. Raises `EngineError` for invalid codes."""
        self.expect_codes(coded)
        if not coded.shape[1]:
            return _NO_SAMPLES
        with torch.inference_mode():
            return _array(self._decode(self._tensor(coded))[0, 0])

    def open_encoder(self) -> "CausalEncoder":
        """Open a stream of audio to be encoded."""
        return CausalEncoder(self, self._encoder_parts())

    def open_decoder(self) -> "CausalDecoder":
        """Open a stream of codes to be decoded."""
        return CausalDecoder(self, self._decoder_parts())

    def expect_codes(self, codes: Codes) -> None:
        """Raise `EngineError` for codes that the model does not have."""
        books, size = self.info.codebooks, self.info.codebook_size
        if codes.ndim != 2 or len(codes) != books:
            raise EngineError(f"expected codes of shape ({books}, frames), got {codes.shape}")
        if codes.size and (codes.min() < 0 or codes.max() >= size):
            raise EngineError(f"expected codes from 0 to {size - 1}, got {codes.min()} to {codes.max()}")

    def stream_latents(self, parts: Sequence[StreamPart], samples: Samples, last: bool) -> Latents:
        """The next samples ▶ the latents that are now complete."""
        with torch.inference_mode():
            block = self._block(samples)
            for part in parts:
                block = part.feed(block, last)
            return _array(block[0])

    def stream_audio(self, parts: Sequence[StreamPart], codes: Codes, last: bool) -> Samples:
        """The next codes ▶ the audio that is now complete."""
        self.expect_codes(codes)
        with torch.inference_mode():
            if codes.shape[1]:
                block = self._dequantize(self._tensor(codes))
            else:
                block = self._tensor(self._no_latents())
            for part in parts:
                block = part.feed(block, last)
            return _array(block[0, 0])

    @property
    @abstractmethod
    def _dimensions(self) -> int:
        """Dimensions of a latent frame."""

    @abstractmethod
    def _encode(self, audio: Tensor) -> Tensor:
        """Audio (1, 1, samples) ▶ latents (1, dimensions, frames), the last frame padded."""

    @abstractmethod
    def _quantize(self, latents: Tensor) -> Tensor:
        """Latents ▶ codes (codebooks, frames)."""

    @abstractmethod
    def _dequantize(self, codes: Tensor) -> Tensor:
        """Codes (1, codebooks, frames) ▶ the latents that they stand for."""

    @abstractmethod
    def _decode(self, codes: Tensor) -> Tensor:
        """Codes (1, codebooks, frames) ▶ audio (1, 1, samples)."""

    @abstractmethod
    def _encoder_parts(self) -> Sequence[StreamPart]:
        """Layers that turn audio into latents, in the state of a new stream."""

    @abstractmethod
    def _decoder_parts(self) -> Sequence[StreamPart]:
        """Layers that turn latents into audio, in the state of a new stream."""

    def _no_latents(self) -> Latents:
        return np.empty((self._dimensions, 0), np.float32)

    def _block(self, samples: Samples) -> Tensor:
        finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        return self._tensor(finite[None])

    def _tensor(self, array: Any) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))[None].to(self._model.device)


class CausalEncoder:
    """The state of one stream of audio."""

    def __init__(self, codec: CausalCodec, parts: Sequence[StreamPart]) -> None:
        self._codec = codec
        self._parts = parts

    def feed(self, samples: Samples) -> Codes:
        """The next samples, any number ▶ the codes of the frames that are now complete."""
        return self._codec.quantize(self.latents(samples))

    def finish(self) -> Codes:
        """The codes of the rest, the last frame padded as in a whole recording."""
        return self._codec.quantize(self.latents(_NO_SAMPLES, last=True))

    def latents(self, samples: Samples, *, last: bool = False) -> Latents:
        """The latents that `feed` quantizes; with `last`, those of `finish`, too."""
        return self._codec.stream_latents(self._parts, samples, last)


class CausalDecoder:
    """The state of one stream of codes."""

    def __init__(self, codec: CausalCodec, parts: Sequence[StreamPart]) -> None:
        self._codec = codec
        self._parts = parts

    def feed(self, codes: Codes) -> Samples:
        """The next frames ▶ the audio that is now complete. Raises `EngineError` for invalid codes."""
        return self._codec.stream_audio(self._parts, codes, False)

    def finish(self) -> Samples:
        """The rest of the audio."""
        none = np.empty((self._codec.info.codebooks, 0), np.int64)
        return self._codec.stream_audio(self._parts, none, True)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.float().cpu().numpy()
    return array
