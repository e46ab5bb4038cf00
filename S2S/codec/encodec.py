"""EnCodec (Meta): 24 kHz mono, 75 frames a second, from 1.5 to 24 kbit/s, through Transformers."""

from collections.abc import Sequence

from torch.nn.utils import parametrize
from transformers import EncodecModel

from pipeline.errors import UserError
from S2S.codec.base import CodecInfo
from S2S.codec.causal_codec import CausalCodec, StreamPart, load_causal
from S2S.codec.causal_layers import CausalLayers, Tensor

BANDWIDTH_KBPS = 6.0
"""The middle one of those for which the model was trained."""


class EncodecCodec(CausalCodec):
    """`bandwidth_kbps` is one of those for which the model was trained; more means more codebooks.

    The model mirrors the beginning of the audio (and of the codes) in each of its layers. So the first
    codes of a stream come after 7 frames (93 ms), and the first audio after 7 frames of codes; then each
    frame is complete at once.
    """

    def __init__(
        self,
        device: str,
        model_name: str = "facebook/encodec_24khz",
        bandwidth_kbps: float = BANDWIDTH_KBPS,
    ) -> None:
        model, files = load_causal(EncodecModel, model_name, "EnCodec for mono", device)
        config = model.config
        if config.audio_channels != 1 or config.normalize or config.chunk_length_s is not None:
            raise files.refuse("one that needs the whole recording, such as encodec_48khz")
        if bandwidth_kbps not in config.target_bandwidths:
            known = ", ".join(f"{bandwidth:g}" for bandwidth in config.target_bandwidths)
            raise UserError(f"--bandwidth: expected one of {known} (kbit/s), got {bandwidth_kbps:g}")
        for layer in (*model.encoder.modules(), *model.decoder.modules()):
            if parametrize.is_parametrized(layer, "weight"):  # or computed anew at every call
                parametrize.remove_parametrizations(layer, "weight")
        super().__init__(
            model,
            CodecInfo(
                name="encodec",
                about=f"{model_name} on {device}",
                sample_rate_hz=config.sampling_rate,
                frame_samples=config.hop_length,
                codebooks=model.quantizer.get_num_quantizers_for_bandwidth(bandwidth_kbps),
                codebook_size=config.codebook_size,
            ),
        )
        self._bandwidth_kbps = bandwidth_kbps

    @property
    def _dimensions(self) -> int:
        return int(self._model.config.hidden_size)

    def _encode(self, audio: Tensor) -> Tensor:
        return self._model.encoder(audio)

    def _quantize(self, latents: Tensor) -> Tensor:
        return self._model.quantizer.encode(latents, self._bandwidth_kbps)[:, 0]

    def _dequantize(self, codes: Tensor) -> Tensor:
        return self._model.quantizer.decode(codes.transpose(0, 1))

    def _decode(self, codes: Tensor) -> Tensor:
        return self._model.decode(codes[None], [None]).audio_values

    def _encoder_parts(self) -> Sequence[StreamPart]:
        return [CausalLayers(self._model.encoder.layers)]

    def _decoder_parts(self) -> Sequence[StreamPart]:
        return [CausalLayers(self._model.decoder.layers)]
