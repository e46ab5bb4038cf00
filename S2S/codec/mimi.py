"""Mimi (Kyutai): 24 kHz mono, 12.5 frames a second, 1.1 kbit/s with the 8 codebooks that Moshi uses,
through Transformers."""

from collections.abc import Sequence
from typing import Any

from transformers import MimiModel

from pipeline.errors import UserError
from S2S.codec.base import CodecInfo
from S2S.codec.causal_codec import CausalCodec, StreamPart, load_causal
from S2S.codec.causal_layers import CausalLayers, Tensor

CODEBOOKS = 8
"""The number that Moshi uses; the model has 32."""


class MimiCodec(CausalCodec):
    """A frame of 80 ms is complete with its last sample, or with its code: nothing looks ahead.

    Transformers streams the encoder, in whole frames, but not the convolutions of the decoder: decoded
    frame by frame, the audio is wrong (the error is as large as the signal). Here the convolutions of
    both keep their state, and so do the caches of the two transformers.
    """

    def __init__(self, device: str, model_name: str = "kyutai/mimi", codebooks: int = CODEBOOKS) -> None:
        model, _ = load_causal(MimiModel, model_name, "Mimi", device)
        config = model.config
        fewest, most = config.num_semantic_quantizers, config.num_quantizers
        if not fewest <= codebooks <= most:
            raise UserError(f"--codebooks: expected {fewest} to {most}, got {codebooks}")
        super().__init__(
            model,
            CodecInfo(
                name="mimi",
                about=f"{model_name} on {device}",
                sample_rate_hz=config.sampling_rate,
                frame_samples=round(config.sampling_rate / config.frame_rate),
                codebooks=codebooks,
                codebook_size=config.codebook_size,
            ),
        )

    @property
    def _dimensions(self) -> int:
        return int(self._model.config.hidden_size)

    def _encode(self, audio: Tensor) -> Tensor:
        return self._model.encoder(audio).latents

    def _quantize(self, latents: Tensor) -> Tensor:
        return self._model.quantizer.encode(latents, self.info.codebooks)[:, 0]

    def _dequantize(self, codes: Tensor) -> Tensor:
        return self._model.quantizer.decode(codes)

    def _decode(self, codes: Tensor) -> Tensor:
        return self._model.decode(codes).audio_values

    def _encoder_parts(self) -> Sequence[StreamPart]:
        encoder = self._model.encoder
        return [
            CausalLayers(encoder.encoder_seanet.layers),
            _Transformer(encoder.encoder_transformer),
            CausalLayers([encoder.downsample]),
        ]

    def _decoder_parts(self) -> Sequence[StreamPart]:
        decoder = self._model.decoder
        return [
            CausalLayers([decoder.upsample]),
            _Transformer(decoder.decoder_transformer),
            CausalLayers(decoder.decoder_seanet.layers),
        ]


class _Transformer:
    """One of the two transformers, with the cache of a stream: the last 10 s (`sliding_window`)."""

    def __init__(self, transformer: Any) -> None:
        self._transformer = transformer
        self._cache: Any = None

    def feed(self, block: Tensor, last: bool) -> Tensor:
        if not block.shape[-1]:
            return block
        output = self._transformer(block.transpose(1, 2), cache=self._cache, use_cache=True)
        self._cache = output.cache
        return output.last_hidden_state.transpose(1, 2)
