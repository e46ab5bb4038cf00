"""MeloTTS: English, Spanish, French, Chinese, Japanese and Korean, each a model of its own, fast enough
for a processor."""

import contextlib
from collections.abc import Iterator
from typing import Any

import nltk
import torch

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import Unavailable, UserError
from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken
from pipeline.words import has_words
from utils.hub import fetch, unavailable
from utils.voices import expect_known, expect_language, voice_flag

_MODELS = {
    "en": ("EN", "myshell-ai/MeloTTS-English"),
    "es": ("ES", "myshell-ai/MeloTTS-Spanish"),
    "fr": ("FR", "myshell-ai/MeloTTS-French"),
    "zh": ("ZH", "myshell-ai/MeloTTS-Chinese"),
    "ja": ("JP", "myshell-ai/MeloTTS-Japanese"),
    "ko": ("KR", "myshell-ai/MeloTTS-Korean"),
}
"""MeloTTS's name of a language, and its model on the hub."""

_NLTK = {
    "averaged_perceptron_tagger": "taggers/averaged_perceptron_tagger.zip",
    "averaged_perceptron_tagger_eng": "taggers/averaged_perceptron_tagger_eng",
    "cmudict": "corpora/cmudict.zip",
}
"""The NLTK data that its English needs, and NLTK's places for them."""


class MeloSynthesizer:
    """One sentence at a time; stops between two of them. The model of a further language is loaded when
    that is spoken first, and downloaded then, once, if it has to be."""

    def __init__(
        self,
        device: str,
        model_name: str | None = None,
        voice: str | None = None,
        language: str = "en",
        speed: float = 1.0,
    ) -> None:
        expect_language(_MODELS, language)
        self._device = device
        self._language = language
        self._speed = speed
        self._loaded = {language: _load(language, model_name or _MODELS[language][1], device)}
        usual = self._loaded[language].hps.data
        self.info = SynthesizerInfo(
            name="melo",
            model=model_name or _MODELS[language][1],
            device=device,
            sample_rate_hz=int(usual.sampling_rate),
            languages=tuple(_MODELS) if model_name is None else (language,),
            voices=tuple(dict(usual.spk2id.items())),
        )
        if voice is not None:
            with voice_flag():
                self.expect_voice(voice)
        self._voice = voice or self.info.voices[0]

    def expect_voice(self, voice: str) -> None:
        """Accept a speaker of the model of the configured language."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak `text`, sentence by sentence. Each language other than the configured one has one
        voice."""
        if voice is not None:
            self.expect_voice(voice)
        language = language or self._language
        if voice is not None and language != self._language:
            yield Notice("voice_fallback", f"{voice} speaks {self._language}; another speaks {language}")
        model = self._model_of(language)
        speakers = dict(model.hps.data.spk2id.items())
        speaker = speakers.get(voice or self._voice, next(iter(speakers.values())))
        for sentence in model.split_sentences_into_pieces(text, model.language, quiet=True):
            if cancel.cancelled:
                return
            if has_words(sentence):
                samples = model.tts_to_file(sentence, speaker, None, quiet=True, speed=self._speed)
                yield AudioChunk(samples, self.info.sample_rate_hz)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _model_of(self, language: str) -> Any:
        if language not in self._loaded:
            try:
                self._loaded[language] = _load(language, _MODELS[language][1], self._device)
            except UserError as error:
                raise unavailable(f"the model for {language}", error, "no_model") from error
        return self._loaded[language]


def _load(language: str, model_name: str, device: str) -> Any:
    """Load a model from its folder: the package itself knows only addresses."""
    folder = fetch(model_name, "--tts_model_name", files=["config.json", "checkpoint.pth"])
    api = _package()
    called, _ = _MODELS[language]
    api.load_or_download_config = lambda _: api.utils.get_hparams_from_file(str(folder / "config.json"))
    api.load_or_download_model = lambda _, where: torch.load(
        folder / "checkpoint.pth", map_location=where, weights_only=True
    )
    try:
        return api.TTS(called, device=device)
    except (OSError, KeyError, RuntimeError, AttributeError) as error:
        raise UserError(
            f"--tts_model_name {model_name}: expected a model of MeloTTS, got {error}"
        ) from error


def _package() -> Any:
    """The package of MeloTTS, which downloads tokenizers when it is imported."""
    for name, place in _NLTK.items():
        if not _has_nltk(place) and not nltk.download(name, quiet=True):
            raise Unavailable(
                f"--tts melo needs the NLTK data {name}, which cannot be downloaded; connect to the "
                f"network once, or type: python -m nltk.downloader {' '.join(_NLTK)}"
            )
    try:
        from melo import api
    except OSError as error:
        raise Unavailable(
            "--tts melo: the six tokenizers that MeloTTS needs are not in the cache, and the hub cannot "
            "be reached; connect to the network once"
        ) from error
    return api


def _has_nltk(place: str) -> bool:
    with contextlib.suppress(LookupError):
        return bool(nltk.data.find(place))
    return False
