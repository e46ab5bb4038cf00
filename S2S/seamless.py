"""SeamlessM4T v2 (Meta): speech in a hundred languages ▶ speech in 36 of them, through Transformers.

Seamless Communication et al., "Seamless: Multilingual Expressive and Streaming Speech Translation",
arXiv 2312.05187.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch
from langcodes import standardize_tag
from transformers import (
    AutoConfig,
    GenerationConfig,
    SeamlessM4TFeatureExtractor,
    SeamlessM4TTokenizer,
    SeamlessM4Tv2Config,
    SeamlessM4Tv2ForSpeechToSpeech,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.utils.logging import set_verbosity_error

from pipeline.audio import clean, split_at_quiet
from pipeline.engine_info import ResponderInfo
from pipeline.errors import EngineError, UserError
from pipeline.language import english_name, if_spoken, plain
from pipeline.language_fallback import language_fallback
from pipeline.messages import MAX_OUTPUT_TOKENS, AudioChunk, CutOff, Notice, Samples
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece, UserWords
from utils.pretrained import Pretrained, fetch_pretrained
from utils.stopping import stopped_on_cancel, was_cut_off
from utils.voices import expect_known

MAX_AUDIO_S = 20.0
"""Longer speech is translated in parts, cut where it is quiet. The limit is ours: a translation ends
after 256 tokens, and nothing is heard before a part is translated."""

MAX_UTTERANCE_S = 600.0
"""Longer speech is refused: its translation would come far too late."""

MIN_AUDIO_S = 0.1
"""Minimum length of speech: shorter sounds contain no word, and the features need two windows of 25 ms,
10 ms apart."""

_LANGUAGE_MAPS = ("text_decoder_lang_to_code_id", "t2u_lang_code_to_id", "vocoder_lang_code_to_id")
"""Entries of generation_config.json: language ▶ its number in each of the three parts of the model. A
language that one of them lacks can be understood, or written, but not spoken."""

_SPELLING = ("id_to_text", "char_to_id")
"""Entries of generation_config.json that map tokens of the translation to letters."""

set_verbosity_error()  # it would list the layers of the text encoder, which speech does not need

_FILES = ("*.json", "*.model", "*.safetensors")


def usual_code(language: str) -> str:
    """This program's code for a language of Seamless: "cmn" ▶ "zh", "swh" ▶ "sw"."""
    code = standardize_tag(language, macro=True)
    return "tl" if code == "fil" else code  # langcodes turns Tagalog into Filipino


class SeamlessResponder:
    """Translates each utterance as a whole; in the reply mode `stream`, each phrase. The text of an
    answer is the translation; the user's own words are not known.

    A voice is the number of a speaker. Speech without words is reported by empty `UserWords`. A
    cancelled translation stops between two tokens, or before either of the two models that speak it.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        target_language: str = "en",
        speaker_id: int = 0,
        torch_dtype: str = "auto",
    ) -> None:
        if torch_dtype == "auto":
            torch_dtype = "float16" if device.startswith("cuda") else "float32"
        pretrained = fetch_pretrained(model_name, "--s2s_model_name", "SeamlessM4T v2", files=_FILES)
        tokens = _generation_config(pretrained)
        self._codes = _codes(tokens)
        if target_language not in self._codes:
            raise UserError(
                f"--s2s_target_language: expected a language that {model_name} speaks "
                f"({', '.join(self._codes)}), got {target_language!r}"
            )
        self._extractor = pretrained.load(SeamlessM4TFeatureExtractor)
        self._tokenizer = pretrained.load(SeamlessM4TTokenizer)
        self._model = pretrained.load_model(_SpeechToSpeech, device, dtype=torch_dtype)
        self._model.generation_config = tokens
        speakers = self._model.config.vocoder_num_spkrs
        if speaker_id >= speakers:
            raise UserError(
                f"--s2s_speaker_id: expected 0 to {speakers - 1}, the speakers of {model_name}, got "
                f"{speaker_id}"
            )
        self._language, self._speaker = target_language, speaker_id
        self.info = ResponderInfo(
            name="seamless",
            model=model_name,
            device=f"{device}, {torch_dtype}",
            sample_rate_hz=self._extractor.sampling_rate,
            languages=tuple(self._codes),
            voices=tuple(str(speaker) for speaker in range(speakers)),
        )

    def expect_voice(self, voice: str) -> None:
        """Accept the number of a speaker."""
        expect_known(self.info.voices, voice)

    def respond(
        self, question: Question, cancel: CancelToken
    ) -> Iterator[SpokenPiece | UserWords | Notice | CutOff]:
        """Yield a piece for each part of the speech that has words. Raises `EngineError` for a voice
        that the model does not have, and for speech that is too long."""
        voice, wanted = question.settings.voice, question.settings.language
        if voice is not None:
            self.expect_voice(voice)
        speaker = self._speaker if voice is None else int(voice)
        language = plain(if_spoken(self.info.languages, wanted) or self._language)
        if wanted is not None and language != plain(wanted):
            instead = f"it answers in {english_name(language)}"
            yield language_fallback(self.info.name, "speak", wanted, instead)
        rate_hz = self.info.sample_rate_hz
        if (minutes := len(question.samples) / rate_hz / 60) > MAX_UTTERANCE_S / 60:
            raise EngineError(
                f"expected at most {MAX_UTTERANCE_S / 60:.0f} minutes of speech without a pause, got "
                f"{minutes:.0f}; to interpret long speech, use the reply mode stream",
                "too_long",
            )
        wordless, cut_off = True, False
        for part in split_at_quiet(clean(question.samples), rate_hz, MAX_AUDIO_S):
            if cancel.cancelled:
                return
            if len(part) < MIN_AUDIO_S * rate_hz or not part.any():
                continue
            translated = self._translate(part, self._codes[language], speaker, cancel)
            if translated is None:
                continue
            text, audio, is_cut_off = translated
            wordless, cut_off = False, cut_off or is_cut_off
            yield SpokenPiece(AudioChunk(audio, self._model.config.sampling_rate), text)
        if wordless and not cancel.cancelled:
            yield UserWords("")
        if cut_off:
            yield CutOff(MAX_OUTPUT_TOKENS)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _translate(
        self, part: Samples, language: str, speaker: int, cancel: CancelToken
    ) -> tuple[str, Samples, bool] | None:
        """The translation as text and as audio, and True if it was cut off; None if it has no words,
        or the call was cancelled."""
        features = self._extractor(part, sampling_rate=self.info.sample_rate_hz, return_tensors="pt")
        features = features.to(self._model.device, self._model.dtype)
        tokens, model = self._model.generation_config, self._model
        steps = (model.speech_encoder, model.text_decoder, model.t2u_model, model.vocoder)
        said: Any = None
        with suppress(_Wordless), stopped_on_cancel(cancel, *steps), torch.inference_mode():
            said = model.generate(
                **features,
                tgt_lang=language,
                speaker_id=speaker,
                return_intermediate_token_ids=True,
                text_stopping_criteria=StoppingCriteriaList([_EndIfWordless(tokens.eos_token_id)]),
            )
        if said is None or cancel.cancelled:
            return None
        written = said.sequences[0].tolist()
        text = self._tokenizer.decode(written, skip_special_tokens=True).strip()
        if not text:
            return None
        audio = said.waveform[0].float().cpu().numpy()
        return text, audio, was_cut_off(written[_PROMPT:], tokens)


class _SpeechToSpeech(SeamlessM4Tv2ForSpeechToSpeech):  # type: ignore[misc]
    """The model, of which no part may be missing. One of its parts declares that others may be missing,
    and Transformers applies that to the whole: if the files had no speech encoder, random weights would
    take its place unreported."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._keys_to_ignore_on_load_missing: set[str] = set()


def _generation_config(pretrained: Pretrained) -> Any:
    """The settings in generation_config.json, including the maps that only this model has. Transformers
    leaves these out if the file says that it was derived from config.json. Raises `UserError`."""
    config = pretrained.load(AutoConfig)
    if not isinstance(config, SeamlessM4Tv2Config):
        raise pretrained.refuse(f"a model of the type {config.model_type}")
    settings = pretrained.load(GenerationConfig, _from_model_config=False)
    settings.max_new_tokens = settings.max_new_tokens or config.max_new_tokens
    missing = [name for name in (*_LANGUAGE_MAPS, *_SPELLING) if not hasattr(settings, name)]
    if missing:
        raise pretrained.refuse(f"a generation_config.json without {', '.join(missing)}")
    return settings


def _codes(settings: Any) -> dict[str, str]:
    """Language ▶ Seamless's code for it, for all languages that the model can speak."""
    maps = [getattr(settings, name) for name in _LANGUAGE_MAPS]
    spoken = [language for language in maps[-1] if all(language in ids for ids in maps)]
    return {usual_code(language): language for language in sorted(spoken)}


_PROMPT = 2
"""Tokens before a translation: the start token, and that of the language."""


class _EndIfWordless(StoppingCriteria):  # type: ignore[misc]
    """Abandons a translation that ends before its first word, since the vocoder fails on empty input."""

    def __init__(self, end: int) -> None:
        self._end = end

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        if input_ids.shape[1] == _PROMPT + 1 and input_ids[0, -1] == self._end:
            raise _Wordless
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


class _Wordless(Exception):
    """Raised through the library's code to abandon a translation."""
