"""Bark: speech with laughs and hesitations, 13 languages (Suno), through Transformers."""

import re
from collections.abc import Iterator

import torch
from transformers import BarkModel, BarkProcessor

from pipeline.engine_info import SynthesizerInfo
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import parts_to_speak
from utils.pretrained import fetch_pretrained
from utils.stopping import stopped_on_cancel
from utils.voices import expect_known, expect_language, voice_flag

MAX_CHARS = 150
"""Longer text is spoken in parts: the model generates at most some 13 s at a time."""

_FILES = ["*.json", "*.txt", "*.bin", "*.safetensors", "speaker_embeddings/*"]


class BarkSynthesizer:
    """A voice is a preset of the model, such as v2/en_speaker_6. Slow on a CPU, and nothing is
    heard before a part is done. Stops between two tokens, but not in the last of its three stages.
    """

    def __init__(
        self,
        device: str,
        model_name: str = "suno/bark-small",
        voice: str | None = None,
        language: str = "en",
        temperature: float = 0.7,
    ) -> None:
        pretrained = fetch_pretrained(model_name, "--tts_model_name", "Bark", files=_FILES)
        self._processor = pretrained.load(BarkProcessor)
        self._model = pretrained.load_model(BarkModel, device)
        voices = tuple(sorted(self._processor.available_voice_presets))
        named = (re.fullmatch(r"v2/([a-z]{2})_speaker_\d", name) for name in voices)
        self.info = SynthesizerInfo(
            name="bark",
            model=model_name,
            device=device,
            sample_rate_hz=self._model.generation_config.sample_rate,
            languages=tuple(sorted({found[1] for found in named if found})),
            voices=voices,
            mixes=True,
        )
        self._voice, self._language, self._temperature = voice, language, temperature
        if voice is None:
            expect_language(self.info.languages, language)
        with voice_flag():
            self._choose(None, None)

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        self._choose(voice, None)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield a chunk for each part."""
        preset = self._choose(voice, language)
        stages = self._model.semantic, self._model.coarse_acoustics
        for part in parts_to_speak(text, MAX_CHARS):
            if cancel.cancelled:
                return
            inputs = self._processor(part, voice_preset=preset).to(self._model.device)
            with stopped_on_cancel(cancel, *stages), torch.inference_mode():
                audio = self._model.generate(
                    **inputs,
                    semantic_temperature=self._temperature,
                    coarse_temperature=self._temperature,
                )
            if cancel.cancelled:
                return
            yield AudioChunk(audio[0].float().cpu().numpy(), self.info.sample_rate_hz)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _choose(self, voice: str | None, language: str | None) -> str:
        """The voice that was asked for, in this call or at start; otherwise one for the language."""
        language = language or self._language
        others = (name for name in self.info.voices if name.startswith(f"v2/{language}_"))
        usual = f"v2/{language}_speaker_6"
        chosen = voice or self._voice or (usual if usual in self.info.voices else next(others, language))
        expect_known(self.info.voices, chosen)
        return chosen
