"""Qwen3-TTS: ten languages, speakers by name, and a style in words. Models of the hub."""

import logging
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from qwen_tts import Qwen3TTSModel

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from utils.pretrained import expect_weights, fetch_pretrained
from utils.stopping import stopped_on_cancel
from utils.voices import expect_known, expect_language, voice_flag

_LANGUAGES = {
    "en": "english",
    "zh": "chinese",
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "pt": "portuguese",
    "ru": "russian",
}
"""The models' names of the languages."""

_NATIVE = {"en": "ryan", "zh": "vivian", "ja": "ono_anna", "ko": "sohee"}
"""Native speakers of each language (README of QwenLM/Qwen3-TTS); the first voice speaks the others."""

MAX_TEXT = 300
"""Characters that are spoken in one go, some 20 s: nothing is heard until all of it is generated."""


class QwenSynthesizer:
    """One sentence at a time, as a whole: its library does not stream. Stops between two steps of 80 ms.

    `style` says how it is said ("softly, a bit sad"), which the small model does not take.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        torch_dtype: str = "auto",
        voice: str | None = None,
        language: str | None = None,
        style: str | None = None,
    ) -> None:
        self._qwen = _load(model_name, device, torch_dtype)
        if self._qwen.model.tts_model_type != "custom_voice":
            raise UserError(
                f"--tts_model_name {model_name}: expected one whose name ends in CustomVoice"
            )
        if style is not None and self._qwen.model.tts_model_size in "0b6":  # the library's own test
            raise UserError(f"--tts_style: {model_name} takes no style; the 1.7B models do")
        known = self._qwen.get_supported_languages() or ()
        self.info = SynthesizerInfo(
            name="qwen",
            model=model_name,
            device=device,
            sample_rate_hz=int(self._qwen.model.speech_tokenizer.get_output_sample_rate()),
            languages=tuple(code for code, called in _LANGUAGES.items() if called in known),
            voices=tuple(self._qwen.get_supported_speakers() or ()),
            mixes=True,
            reads_written_forms=True,
        )
        if language is not None:
            expect_language(self.info.languages, language)
        if voice is not None:
            with voice_flag():
                self.expect_voice(voice)
        self._voice = voice
        self._language = language
        self._style = style

    def expect_voice(self, voice: str) -> None:
        """Accept a speaker of the model, in small letters."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak `text`; without a language of the session or the flags, the model takes it from the
        words."""
        if voice is not None:
            self.expect_voice(voice)
        language = language or self._language
        speaker = voice or self._voice or self._usual(language)
        spoken = _LANGUAGES[language] if language else None
        for part in textwrap.wrap(text, MAX_TEXT):
            with stopped_on_cancel(cancel, self._qwen.model.talker):
                (samples,), _ = self._qwen.generate_custom_voice(
                    part, speaker, spoken, instruct=self._style
                )
            if cancel.cancelled:
                return
            yield AudioChunk(np.asarray(samples, np.float32), self.info.sample_rate_hz)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _usual(self, language: str | None) -> str:
        native = _NATIVE.get(language or "en", "")
        return native if native in self.info.voices else self.info.voices[0]


def _load(model_name: str, device: str, torch_dtype: str) -> Any:
    pretrained = fetch_pretrained(model_name, "--tts_model_name", "a model of Qwen3-TTS")
    with _made_up_layers() as made_up:
        model = pretrained.load(Qwen3TTSModel, device_map=device, dtype=torch_dtype)
    expect_weights({"missing_keys": made_up, "mismatched_keys": []}, "--tts_model_name", model_name)
    return model


@contextmanager
def _made_up_layers() -> Iterator[list[str]]:
    """Collect the layers without weights, which transformers reports only in its log here."""
    made_up: list[str] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told = record.getMessage()
            if "newly initialized" in told:
                made_up.extend(told.partition("[")[2].partition("]")[0].replace("'", "").split(", "))

    reader, log = Reader(), logging.getLogger("transformers.modeling_utils")
    level, propagates = log.level, log.propagate
    log.addHandler(reader)
    log.setLevel(logging.WARNING)  # TRANSFORMERS_VERBOSITY may turn warnings off
    log.propagate = False
    try:
        yield made_up
    finally:
        log.removeHandler(reader)
        log.setLevel(level)
        log.propagate = propagates
