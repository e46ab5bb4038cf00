"""HiFi-GAN as half of a codec: audio ▶ mel spectra, by rule, and mel spectra ▶ audio, by the model."""

import math
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import SpeechT5FeatureExtractor

from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from S2S.codec.base import CodecInfo
from TTS.hifi_gan import HIFI_GAN, load_hifi_gan

Mel: TypeAlias = NDArray[np.float32]
"""Shape (frames, bands): decadic logarithms of the amplitude in a mel band, from -10 up."""


class HifiGan:
    """The vocoder of `--tts speecht5`, with the spectra that it was trained on (frames of 16 ms).

    A spectrum has no phase, which the model invents: the audio sounds alike, but its samples differ. Its
    frames are 80 numbers, not codes, so it has no bitrate; and its convolutions look ahead, so it does
    not stream.
    """

    def __init__(self, device: str, model_name: str = HIFI_GAN) -> None:
        self._model = load_hifi_gan(model_name, "--model", device)
        self._features = SpeechT5FeatureExtractor()  # its defaults are those of microsoft/speecht5_tts
        config = self._model.config
        made_for = (config.sampling_rate, config.model_in_dim, math.prod(config.upsample_rates))
        ours = self._features
        wanted = (ours.sampling_rate, ours.num_mel_bins, ours.sample_stride)
        if made_for != wanted:
            raise UserError(
                f"--model {model_name}: expected HiFi-GAN for {wanted[1]} mel bands at {wanted[0]} Hz, "
                f"{wanted[2]} samples a frame, got one for {made_for[1]} at {made_for[0]} Hz, "
                f"{made_for[2]} samples"
            )
        self.info = CodecInfo(
            name="hifi-gan",
            about=f"{model_name} on {device}",
            sample_rate_hz=config.sampling_rate,
            frame_samples=ours.sample_stride,
        )

    def encode(self, samples: Samples) -> Mel:
        """The spectra of all the audio; frame n is centered at sample n × 256."""
        if not len(samples):
            return np.empty((0, self._features.num_mel_bins), np.float32)
        finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        spectra = self._features(audio_target=finite, sampling_rate=self.info.sample_rate_hz)
        mel: Mel = np.asarray(spectra["input_values"][0], np.float32)
        return mel

    def decode(self, coded: Mel) -> Samples:
        """The audio of spectra. Raises `EngineError` for those of another shape."""
        bands = self._features.num_mel_bins
        if coded.ndim != 2 or coded.shape[1] != bands:
            raise EngineError(f"expected spectra of shape (frames, {bands}), got {coded.shape}")
        if not len(coded):
            return np.empty(0, np.float32)
        with torch.inference_mode():
            audio = self._model(torch.from_numpy(coded).to(self._model.device))
        samples: Samples = audio.float().cpu().numpy()
        return samples
