"""Whisper: OpenAI's recognizer and its kin (Distil-Whisper, fine-tuned ones), through Transformers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    CompileConfig,
    StoppingCriteriaList,
    WhisperForConditionalGeneration,
    WhisperProcessor,
)
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils.logging import set_verbosity_error

from pipeline.audio import clean, split_at_quiet
from pipeline.engine_info import RecognizerInfo
from pipeline.messages import Notice, Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from STT.no_speech import NO_SPEECH, UNSURE
from STT.spoken_language import USUAL, SpokenLanguage, as_detected, from_whisper, to_whisper
from utils.batcher import Batcher
from utils.pretrained import fetch_pretrained
from utils.stopping import StopOnCancel

MAX_AUDIO_S = 30.0
"""Length of the audio for which the model was trained; shorter audio is padded with silence."""

set_verbosity_error()  # Whisper's own code warns of how it calls the rest of the library

_ROOM = 440
"""Tokens for an answer: the decoder has room for 448, and a prompt of 4 stands before it."""

_FILES = ("*.json", "*.txt", "model.safetensors", "model-*.safetensors")


@dataclass(frozen=True)
class _Part:
    """At most 30 s of speech."""

    features: torch.Tensor
    """Log-mel spectrogram, shape (bins, 3000)."""
    language: str | None
    """The language that the caller asked for."""


@dataclass(frozen=True)
class _Heard:
    text: str
    language: str
    detected: bool
    notices: tuple[Notice, ...]


class WhisperRecognizer:
    """Any Whisper checkpoint of Transformers, with weights as safetensors.

    Up to `batch_size` calls are computed together, in as many languages; as many again may wait.
    With a `compile_mode` it is one, since the graphs are made for one shape. Stops between two tokens.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        language: str = "en",
        languages: str = USUAL,
        torch_dtype: str = "auto",
        compile_mode: str = "none",
        batch_size: int = 4,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if torch_dtype == "auto":
            torch_dtype = "float16" if device.startswith("cuda") else "float32"
        pretrained = fetch_pretrained(
            model_name, "--stt_model_name", "a Whisper model of Transformers", files=_FILES
        )
        processor = pretrained.load(WhisperProcessor)
        self._extractor, self._tokenizer = processor.feature_extractor, processor.tokenizer
        self._model = pretrained.load_model(WhisperForConditionalGeneration, device, dtype=torch_dtype)
        tokens = self._model.generation_config
        multilingual = getattr(tokens, "is_multilingual", True) and hasattr(tokens, "lang_to_id")
        ids: Mapping[str, int] = tokens.lang_to_id if multilingual else {}
        self._language_ids = {from_whisper(token.strip("<|>")): number for token, number in ids.items()}
        known = tuple(self._language_ids) or ("en",)
        self._spoken = SpokenLanguage(language, languages, known)
        self._settings = dict(gen_kwargs or {})
        self._settings["max_length"] = self._settings.pop("max_new_tokens", _ROOM)  # less the prompt
        if compile_mode != "none":
            compiling = CompileConfig(mode=compile_mode)
            compiling._compile_all_devices = True  # or Transformers leaves it out on a CPU
            self._settings |= {"cache_implementation": "static", "compile_config": compiling}
            batch_size = 1
        self.info = RecognizerInfo(
            name="whisper",
            slots=1 if batch_size == 1 else 2 * batch_size,
            model=model_name,
            device=f"{device}, {torch_dtype}",
            sample_rate_hz=16000,
            languages=known,
        )
        # only its thread computes, since CUDA graphs belong to the thread that recorded them
        recognize = torch.inference_mode()(self._recognize)
        self._batcher: Batcher[_Part, _Heard] = Batcher("whisper", recognize, batch_size)
        self._first_calls = 1 if compile_mode == "none" else 2

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words; no words for silence."""
        texts: list[str] = []
        notices: tuple[Notice, ...] = ()
        spoken = None
        for samples_30_s in split_at_quiet(clean(samples), self.info.sample_rate_hz, MAX_AUDIO_S):
            if not samples_30_s.any():
                continue
            heard = self._batcher.submit(_Part(self._features(samples_30_s), language), cancel)
            if heard is None:
                break
            texts.append(heard.text)
            notices += heard.notices
            spoken = as_detected(heard.language) if heard.detected else heard.language
            language = spoken
        return Transcription(" ".join(filter(None, texts)), spoken, notices)

    def warm_up(self) -> None:
        """Compute a second of silence; compiled, twice, since graphs are recorded in the second call."""
        silence = _Part(self._features(torch.zeros(self.info.sample_rate_hz).numpy()), None)
        for _ in range(self._first_calls):
            self._batcher.submit(silence, CancelToken())

    def close(self) -> None:
        """End the thread that uses the weights, which frees them."""
        self._batcher.close()

    def _features(self, samples: Samples) -> torch.Tensor:
        extracted = self._extractor(samples, sampling_rate=self.info.sample_rate_hz, return_tensors="pt")
        features: torch.Tensor = extracted.input_features[0]
        return features.to(self._model.device, self._model.dtype)

    def _recognize(self, parts: Sequence[_Part], cancels: Sequence[CancelToken]) -> list[_Heard]:
        """A batch, on the one thread that computes."""
        tokens = self._model.generation_config
        features = torch.stack([part.features for part in parts])
        encoded = BaseModelOutput(self._model.get_encoder()(features)[0])
        begin = torch.full((len(parts), 1), tokens.decoder_start_token_id, device=features.device)
        first = self._model(encoder_outputs=encoded, decoder_input_ids=begin).logits[:, 0].float()
        understood = [self._understand(part, row) for part, row in zip(parts, first, strict=True)]
        languages = [language for language, _, _ in understood]
        how: dict[str, Any] = {}
        if self._language_ids:
            how = {"language": [f"<|{to_whisper(code)}|>" for code in languages], "task": "transcribe"}
        said = self._model.generate(
            features,
            encoder_outputs=encoded,
            return_timestamps=False,
            stopping_criteria=StoppingCriteriaList([StopOnCancel(*cancels)]),
            **how,
            **self._settings,
        )
        texts = self._tokenizer.batch_decode(said, skip_special_tokens=True)
        silent = self._silent(first, encoded, languages, said)
        return [
            _Heard("" if quiet else text.strip(), *heard)
            for text, quiet, heard in zip(texts, silent, understood, strict=True)
        ]

    def _understand(self, part: _Part, first: torch.Tensor) -> tuple[str, bool, tuple[Notice, ...]]:
        """The language of a part, True if it was detected, and the notices about it. `first`: the score
        of each token as the first one, which names the language."""
        told = self._spoken.told(part.language)
        if told is not None or not self._language_ids:
            return told or self.info.languages[0], False, ()
        scores = first[list(self._language_ids.values())]
        language, notices = self._spoken.settle(self.info.languages[int(scores.argmax())], part.language)
        return language, True, notices

    def _silent(
        self, first: torch.Tensor, encoded: BaseModelOutput, languages: Sequence[str], said: torch.Tensor
    ) -> list[bool]:
        """True for each row that is no speech, by the two thresholds."""
        tokens = self._model.generation_config
        if not hasattr(tokens, "no_timestamps_token_id"):
            return [False] * len(said)
        # the token for "no speech" stands before this one in every vocabulary of Whisper
        maybe = first.softmax(-1)[:, tokens.no_timestamps_token_id - 1] > NO_SPEECH
        return [
            bool(doubtful) and self._sureness(encoded[0][row], languages[row], said[row]) <= UNSURE
            for row, doubtful in enumerate(maybe)
        ]

    def _sureness(self, encoded: torch.Tensor, language: str, said: torch.Tensor) -> float:
        """Mean log-probability of the words of one row and their end."""
        tokens = self._model.generation_config
        prompt = [tokens.decoder_start_token_id]
        if self._language_ids:
            prompt += [self._language_ids[language], tokens.task_to_id["transcribe"]]
        prompt.append(tokens.no_timestamps_token_id)
        words = [token for token in said.tolist() if token != tokens.eos_token_id]
        whole = torch.tensor([prompt + words], device=encoded.device)
        heard = self._model(encoder_outputs=BaseModelOutput(encoded[None]), decoder_input_ids=whole)
        scores = heard.logits[0, len(prompt) - 1 :].float().log_softmax(-1)
        spoken = torch.tensor([*words, tokens.eos_token_id], device=encoded.device)
        return float(scores.gather(1, spoken[:, None]).mean())
