"""Supertonic: fast diffusion on a CPU, 44.1 kHz, 31 languages (Supertone)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import supertonic
from supertonic.config import AVAILABLE_MODELS, SUPPORTED_LANGUAGES
from supertonic.utils import chunk_text

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import has_words
from utils.hub import fetch
from utils.threads import engine_threads
from utils.voices import expect_known, expect_language, voice_flag

_LANGUAGES = {"supertonic": ("en",), "supertonic-2": ("en", "ko", "es", "pt", "fr")}
"""Languages of the older models; the package states them in words only."""

MAX_CHARS = 300
"""Length of a part; the package's own bound."""


class SupertonicSynthesizer:
    """`model_name` is a name on the hub, or a folder; any name that is not an older model's counts as
    supertonic-3. Letters that a model does not know are left out. Stops between two parts."""

    def __init__(
        self,
        model_name: str = "Supertone/supertonic-3",
        voice: str = "F1",
        language: str = "en",
        speed: float = 1.05,
        steps: int = 8,
    ) -> None:
        folder = fetch(model_name, "--tts_model_name", files=["onnx/*", "voice_styles/*.json"])
        kind = Path(model_name).name if Path(model_name).name in AVAILABLE_MODELS else "supertonic-3"
        try:
            self._model: Any = supertonic.TTS(
                kind, folder, auto_download=False, intra_op_num_threads=engine_threads("tts")
            )
        except Exception as error:  # onnxruntime's have no common base class
            raise UserError(
                f"--tts_model_name {model_name}: expected Supertonic, got {error}"
            ) from error
        self.info = SynthesizerInfo(
            name="supertonic",
            model=kind,
            sample_rate_hz=self._model.sample_rate,
            languages=_LANGUAGES.get(kind, tuple(SUPPORTED_LANGUAGES)),
            voices=tuple(self._model.voice_style_names),
            reads_written_forms=True,
        )
        self._voice, self._language, self._speed, self._steps = voice, language, speed, steps
        with voice_flag():
            self.expect_voice(voice)
        expect_language(self.info.languages, language)

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield one chunk, or more for the parts of long text."""
        voice = voice or self._voice
        self.expect_voice(voice)
        _, unknown = self._model.model.text_processor.validate_text(text)
        known = text.translate({ord(letter): " " for letter in unknown})
        if not has_words(known):
            return
        style, rate_hz = self._model.get_voice_style(voice), self.info.sample_rate_hz
        for part in chunk_text(known, MAX_CHARS):
            if cancel.cancelled:
                return
            audio, seconds = self._model.synthesize(
                part, style, self._steps, self._speed, lang=language or self._language
            )
            samples = audio[0][: int(seconds[0] * rate_hz)]  # the rest fills the last frame
            yield AudioChunk(samples, rate_hz)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""
