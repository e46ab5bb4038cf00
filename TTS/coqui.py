"""Coqui TTS: many models by many makers, some of which clone a voice. Its package is called TTS, as this
folder is, so it runs in an environment of its own."""

import difflib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import parts_to_speak
from TTS.api import TTS
from TTS.utils.manage import ModelManager
from TTS.utils.synthesizer import PAD_SILENCE_SAMPLES
from utils.voices import expect_known, expect_language, voice_flag

_CLONED = "cloned"
"""The name of the voice of `clone`."""

_USUAL_LIMIT = 250
"""Characters at a time, where the model names no limit."""

_ORDINAL = re.compile(r"(?<=\d)\.(?!\d)")
"""The point in "3.": XTTS hands it to num2words, which knows no ordinals in Czech and fails."""

_XTTS_CLONING = ("gpt_cond_len", "gpt_cond_chunk_len", "sound_norm_refs")


class CoquiSynthesizer:
    """One sentence at a time. XTTS streams, and stops between two pieces, the others between sentences.

    `model_name` is one of Coqui's names, or a folder with the model and its ``config.json``; `clone` a
    recording of the voice to speak with.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        voice: str | None = None,
        language: str | None = None,
        clone: str | None = None,
    ) -> None:
        self._tts: Any = _load(model_name).to(device)
        synthesizer = self._tts.synthesizer
        self._model = synthesizer.tts_model
        self._streams = hasattr(self._model, "inference_stream")
        self._cloned: Mapping[str, Any] = {}
        self._speakers: dict[str, str] = {name.strip(): name for name in self._tts.speakers or ()}
        self._named: Mapping[str, str] = {
            name.partition("-")[0]: name for name in self._model.language_manager.language_names
        }
        self.info = SynthesizerInfo(
            name="coqui",
            model=model_name,
            device=device,
            sample_rate_hz=int(synthesizer.output_sample_rate),
            languages=tuple(self._named),
            voices=tuple(self._speakers),
        )
        self._language = self._expect_language(language)
        self._voices_folder = tempfile.TemporaryDirectory(prefix="voice")
        self._voice = self._configured(voice, clone)

    def expect_voice(self, voice: str) -> None:
        """Accept a speaker of the model."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak `text`, sentence by sentence."""
        if voice is not None:
            self.expect_voice(voice)
        speaker = self._speakers[voice] if voice else self._voice
        spoken = self._named[language or self._language]
        for sentence in self._sentences(text, spoken):
            for samples in self._speak(sentence, speaker, spoken):
                if cancel.cancelled:
                    return
                yield AudioChunk(samples, self.info.sample_rate_hz)

    def close(self) -> None:
        """Forget the cloned voice now; the weights are freed with this object."""
        self._voices_folder.cleanup()

    def _sentences(self, text: str, language: str) -> Iterator[str]:
        limits = getattr(self._model.tokenizer, "char_limits", {})
        limit = limits.get(language.partition("-")[0], _USUAL_LIMIT)
        if language == "cs":
            text = _ORDINAL.sub("", text)
        for sentence in self._tts.synthesizer.split_into_sentences(text, language):
            yield from parts_to_speak(sentence, limit)

    def _speak(self, text: str, speaker: str | None, language: str) -> Iterator[np.ndarray]:
        if self._streams:
            for piece in self._model.inference_stream(text, language, *self._latents(speaker)):
                yield piece.detach().cpu().float().numpy().reshape(-1)
            return
        chosen: dict[str, Any] = {"speaker": speaker, "voice_dir": self._voices_folder.name}
        if self._tts.is_multi_lingual:
            chosen["language"] = language
        whole = self._tts.tts(text, split_sentences=False, **chosen)
        yield np.asarray(whole, np.float32)[:-PAD_SILENCE_SAMPLES]  # silence that the library appends

    def _latents(self, speaker: str | None) -> tuple[Any, Any]:
        """The latents that XTTS needs for a voice."""
        if speaker is None:
            return self._cloned["gpt_conditioning_latents"], self._cloned["speaker_embedding"]
        latents, embedding = self._model.speaker_manager.speakers[speaker].values()
        return latents, embedding

    def _clone(self, file: str) -> str | None:
        """Learn a voice; returns its name."""
        if not self._model.config.supports_cloning:
            raise UserError(f"--tts_clone: {self.info.model} cannot clone voices; XTTS and YourTTS can")
        if not Path(file).expanduser().is_file():
            raise UserError(f"--tts_clone: expected a recording, but there is no file {file}")
        settings = {}
        if self._streams:  # the settings that Xtts.synthesize would use
            config = self._model.config
            settings = {name: config[name] for name in _XTTS_CLONING}
            settings["max_ref_length"] = config.max_ref_len
        path = str(Path(file).expanduser())
        try:
            self._cloned = self._model.clone_voice(path, _CLONED, self._voices_folder.name, **settings)
        except (OSError, RuntimeError, ValueError) as error:
            raise UserError(f"--tts_clone {file}: expected a recording, got {error}") from error
        return None if self._streams else _CLONED

    def _configured(self, voice: str | None, clone: str | None) -> str | None:
        if clone is not None:
            return self._clone(clone)
        if voice is None:
            return next(iter(self._speakers.values()), None)
        with voice_flag():
            self.expect_voice(voice)
        return self._speakers[voice]

    def _expect_language(self, language: str | None) -> str:
        usual = "en" if "en" in self._named else self.info.languages[0]
        if language is not None:
            expect_language(self.info.languages, language)
        return language or usual


def _load(model_name: str) -> Any:
    folder = Path(model_name).expanduser()
    try:
        if folder.is_dir():
            return TTS(
                model_path=_weights(folder), config_path=folder / "config.json", progress_bar=False
            )
        _expect_name(model_name)
        return TTS(model_name, progress_bar=False)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise UserError(
            f"--tts_model_name {model_name}: expected a model of Coqui TTS, got {error}"
        ) from error


def _weights(folder: Path) -> Path:
    """The weights in a folder, found as Coqui TTS's model manager finds them."""
    usual = [folder / name for name in ("model.pth", "model_file.pth", "checkpoint.pth")]
    found = [file for file in usual if file.is_file()] or sorted(folder.glob("*.pth"))
    if not found:
        raise UserError(f"--tts_model_name {folder}: there is no model.pth in it")
    return found[0]


def _expect_name(model_name: str) -> None:
    """Check the name and the license, since Coqui TTS would ask on a terminal to agree to the
    license."""
    manager = ModelManager()
    if model_name not in manager.list_tts_models():
        alike = difflib.get_close_matches(model_name, manager.list_tts_models(), 3, cutoff=0)
        raise UserError(
            f"--tts_model_name: expected a folder or a name such as {', '.join(alike)}, "
            f"got {model_name!r}"
        )
    kind, language, dataset, model = model_name.split("/")
    about = manager.models_dict[kind][language][dataset][model]
    if not manager.tos_agreed(about, manager.output_prefix / model_name.replace("/", "--")):
        raise UserError(
            f"--tts_model_name {model_name}: its license, https://tts-hub.github.io/cpml, allows no "
            "commercial use; if you agree to it, set COQUI_TOS_AGREED=1"
        )
