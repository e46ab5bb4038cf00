"""Parakeet: NVIDIA's fast recognizers, through Transformers."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoProcessor,
    ParakeetForCTC,
    ParakeetForRNNT,
    ParakeetForTDT,
    StoppingCriteriaList,
)

from pipeline.audio import clean
from pipeline.engine_info import RecognizerInfo
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.pretrained import fetch_pretrained
from utils.stopping import StopOnCancel

_CLASSES = {
    "parakeet_ctc": ParakeetForCTC,
    "parakeet_rnnt": ParakeetForRNNT,
    "parakeet_tdt": ParakeetForTDT,
}

EUROPEAN = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it"),
    *("lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
"""Languages of parakeet-tdt-0.6b-v3, from its model card; the other models understand English."""

SHORTEST = 1600
"""Samples, 0.1 s; shorter audio gives the encoder no frame, and is padded with silence."""


class ParakeetRecognizer:
    """`model_name` is a model of the hub, or a folder that is named like one ("parakeet-tdt-0.6b-v3").

    The multilingual model finds out by itself what is spoken, and does not say. Decoding keeps its state
    in the model, so one call runs at a time. A call stops between two tokens; the encoder, which comes
    first, cannot be stopped.
    """

    def __init__(self, model_name: str, device: str, torch_dtype: str = "auto") -> None:
        expected = "a Parakeet model of Transformers"
        pretrained = fetch_pretrained(model_name, "--stt_model_name", expected)
        kind = pretrained.load(AutoConfig).model_type
        if kind not in _CLASSES:
            raise pretrained.refuse(kind)
        self._processor = pretrained.load(AutoProcessor)
        self._model = pretrained.load_model(_CLASSES[kind], device, dtype=torch_dtype)
        self.info = RecognizerInfo(
            name="parakeet",
            model=model_name,
            device=device,
            sample_rate_hz=16000,
            languages=EUROPEAN if Path(model_name).name.endswith("-v3") else ("en",),
        )

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words, with punctuation where the model writes any."""
        known = self.info.languages[0] if len(self.info.languages) == 1 else language
        if cancel.cancelled:
            return Transcription("", known)
        audio = clean(samples)
        audio = np.pad(audio, (0, max(0, SHORTEST - len(audio))))
        inputs = self._processor(audio, sampling_rate=self.info.sample_rate_hz).to(
            self._model.device, dtype=self._model.dtype
        )
        decoding = self._decoding(inputs["input_features"].shape[1], cancel)
        with torch.inference_mode():
            heard = self._model.generate(**inputs, return_dict_in_generate=True, **decoding)
        text = self._processor.decode(heard.sequences[0], skip_special_tokens=True)
        return Transcription(text.strip(), known)

    def _decoding(self, mel_frames: int, cancel: CancelToken) -> dict[str, Any]:
        """Settings of `generate`. A transducer decodes token by token, at most so many for each frame of
        its encoder."""
        config = self._model.config
        if config.model_type == "parakeet_ctc":
            return {}
        frames = mel_frames // config.encoder_config.subsampling_factor + 1
        stop = StoppingCriteriaList([StopOnCancel(cancel)])
        return {"max_new_tokens": config.max_symbols_per_step * frames, "stopping_criteria": stop}

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""
