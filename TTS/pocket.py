"""Pocket TTS (Kyutai): streams in mid-sentence on a CPU, and clones a voice from a few seconds."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pocket_tts
import soundfile
import torch
from pocket_tts.default_parameters import get_default_voice_for_language
from pocket_tts.utils.utils import _ORIGINS_OF_PREDEFINED_VOICES

from pipeline.audio import resample, to_mono
from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import Unavailable, UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import has_words
from utils.hub import unavailable
from utils.pretrained import expect_numbers
from utils.threads import cores
from utils.voices import expect_known, expect_language, voice_flag

torch.set_num_threads(cores())  # importing pocket_tts sets it to 1 for the whole process

_MODELS = {
    "en": "english",
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
}
"""Kyutai's name of the model of a language; "_24l" behind it names a larger one."""

MAX_CLONE_S = 30
"""Limit of a recording of a voice; a longer one only costs memory (the package's own bound)."""


class PocketSynthesizer:
    """One model speaks one language. `model_name` is Kyutai's name of a model, or a YAML file with the
    places of its weights, which has no voice but that of `clone`, a recording.

    The package fetches models and voices itself, by the revision of the hub that fits its code. One call
    at a time (it is not safe for threads); stops between two frames of 80 ms.
    """

    def __init__(
        self,
        model_name: str | None = None,
        voice: str | None = None,
        language: str = "en",
        clone: str | None = None,
    ) -> None:
        expect_language(_MODELS, language)
        model_name = model_name or _MODELS[language]
        own = model_name.endswith((".yaml", ".yml"))
        try:
            self._model: Any = pocket_tts.TTSModel.load_model(
                **{"config" if own else "language": model_name}
            )
        except (OSError, ValueError, RuntimeError) as error:
            lacks = isinstance(error, OSError)
            raise (Unavailable if lacks else UserError)(
                f"--tts_model_name {model_name}: expected a model of Pocket TTS such as english or "
                f"french_24l, in the cache or on the hub, or a YAML file, got {error}"
            ) from error
        named = self._model.config
        if named.weights_path is None and named.flow_lm.weights_path is None:
            raise UserError(
                f"--tts_model_name {model_name}: it names no weights, so its output would be nonsense; "
                "add weights_path"
            )
        expect_numbers(self._model, "--tts_model_name", model_name)
        self.info = SynthesizerInfo(
            name="pocket",
            model=model_name,
            sample_rate_hz=self._model.sample_rate,
            languages=(language,),
            voices=() if own else tuple(sorted(_ORIGINS_OF_PREDEFINED_VOICES)),
        )
        self._states: dict[str | None, Any] = {}
        self._voice: str | None = None
        if clone is not None:
            self._states[None] = self._clone(clone)
        elif own and voice is None:
            raise UserError(f"--tts_model_name {model_name} has no voice: add --tts_clone RECORDING")
        else:
            self._voice = voice or get_default_voice_for_language(model_name)
        with voice_flag():
            self._state(None)

    def expect_voice(self, voice: str) -> None:
        """Accept a voice of the catalog."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield chunks of 80 ms and more, as they are generated."""
        state = self._state(voice)
        if cancel.cancelled or not has_words(text):
            return
        stop = threading.Event()
        speech = self._model.generate_audio_stream(state, text, stop=stop)
        with cancel.on_cancel(stop.set):
            try:
                for audio in speech:
                    yield AudioChunk(audio.numpy(), self.info.sample_rate_hz)
            finally:
                stop.set()
                for _ in speech:  # till its threads have let go of the weights
                    pass

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _state(self, voice: str | None) -> Any:
        """The model's state for a voice; a few megabytes, kept."""
        voice = voice or self._voice
        if voice not in self._states:
            self.expect_voice(voice or "")
            try:
                self._states[voice] = self._model.get_state_for_audio_prompt(voice)
            except (OSError, ValueError, RuntimeError) as error:
                raise unavailable(f"the voice {voice}", error, "no_voice") from error
        return self._states[voice]

    def _clone(self, recording: str) -> Any:
        if not self._model.has_voice_cloning:
            raise UserError(
                "--tts_clone: Kyutai grants access to the model that clones voices; accept its terms at "
                "https://huggingface.co/kyutai/pocket-tts, then type: hf auth login"
            )
        try:
            samples, rate_hz = soundfile.read(Path(recording).expanduser(), dtype="float32")
        except (OSError, soundfile.SoundFileError) as error:
            raise UserError(f"--tts_clone {recording}: expected a recording, got {error}") from error
        samples = to_mono(samples)[: MAX_CLONE_S * rate_hz]
        if len(samples) < rate_hz:
            raise UserError(f"--tts_clone {recording}: expected at least one second of speech")
        audio = torch.from_numpy(resample(samples, rate_hz, self.info.sample_rate_hz))
        return self._model.get_state_for_audio_prompt(audio.unsqueeze(0))
