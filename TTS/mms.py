"""MMS: a small VITS model for each of over a thousand languages (Meta), through Transformers.

Pratap et al., "Scaling Speech Technology to 1,000+ Languages", arXiv 2305.13516.
"""

import functools
import textwrap
from collections.abc import Iterator
from typing import Any

import torch
from langcodes import Language
from transformers import VitsModel, VitsTokenizer

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.language import english_name
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from utils.hub import unavailable
from utils.installation import install_extra
from utils.pretrained import fetch_pretrained
from utils.voices import expect_language, unknown_voice

_CODES = (
    "am ar as az ba bg bn bo ca cy de el en es eu fa fi fo fr gu ha he hi ht hu id is jv jw ka kk km kn "
    "ko ku ky la lo lv mg ml mn mr ms my nl om or pa pl pt ro ru rw sn so sq su sv sw ta te tg th tk tl "
    "tr tt ug uk ur vi yo"
)
LANGUAGES = tuple(_CODES.split())
"""Languages that a recognizer may detect and MMS has a voice for, after the list of facebook/mms-tts. It
has none for Czech, Danish, Italian, Japanese, Mandarin or Norwegian; its Armenian is Western, and its
Uzbek reads only Cyrillic. Whisper calls Javanese "jw"."""

_CALLED = {
    "az": "azj-script_latin",
    "ku": "kmr-script_latin",
    "ms": "zlm",
    "or": "ory",
    "sw": "swh",
    "tk": "tuk-script_latin",
    "tl": "tgl",
    "ug": "uig-script_arabic",
    "ur": "urd-script_arabic",
}
"""MMS's names of languages that it does not call by their ISO 639-3 codes; it has some of them in
several scripts."""

MAX_CHARS = 200
"""Longer text is spoken in parts: a part cannot be stopped, and its memory grows with its square."""

_FILES = ("*.json", "*.txt", "*.safetensors")

KEPT = 4
"""Languages that stay loaded, 145 MB each; beyond these, the least recently spoken one is unloaded."""


def mms_code(language: str) -> str:
    """MMS's name of a language: "te" ▶ "tel"."""
    return _CALLED.get(language) or str(Language.get(language).to_alpha3())


class MmsSynthesizer:
    """The model of a language is loaded, and the first time downloaded, when it is first spoken, which
    keeps the others waiting; `language` is loaded at start.

    `model_name` is what stands before the code of the language, on the hub or on this disk. Most models
    know no digits. One call at a time: `seed` sets the generator of the process while it speaks.
    """

    def __init__(
        self,
        device: str,
        model_name: str = "facebook/mms-tts-",
        language: str = "en",
        speed: float = 1.0,
        seed: int | None = None,
    ) -> None:
        self._device, self._model_name, self._language = device, model_name, language
        self._speed, self._seed = speed, seed
        self._voice = functools.lru_cache(KEPT)(self._load)
        expect_language(LANGUAGES, language)
        self.info = SynthesizerInfo(
            name="mms",
            model=f"{model_name}{mms_code(language)}",
            device=device,
            sample_rate_hz=self._voice(language).sample_rate_hz,
            languages=LANGUAGES,
        )

    def expect_voice(self, voice: str) -> None:
        """Refuse every voice: each language has one."""
        raise unknown_voice(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield one chunk, or more for long text. Raises `EngineError` for a missing model."""
        if voice is not None:
            self.expect_voice(voice)
        for part in textwrap.wrap(text, MAX_CHARS, break_on_hyphens=False):
            if cancel.cancelled:
                return
            try:
                speaker = self._voice(language or self._language)
            except UserError as error:
                what = f"a voice for {english_name(language or self._language)}"
                raise unavailable(what, error, "no_model") from error
            with torch.random.fork_rng(enabled=self._seed is not None):
                if self._seed is not None:
                    torch.manual_seed(self._seed)
                samples = speaker.speak(part, self._speed)
            if len(samples):
                yield AudioChunk(samples, speaker.sample_rate_hz)

    def close(self) -> None:
        """Free the models."""
        self._voice.cache_clear()

    def _load(self, language: str) -> "_Voice":
        return _Voice(self._model_name + mms_code(language), language, self._device)


class _Voice:
    """The model of one language. Raises `UserError` if it, or uroman, is missing."""

    def __init__(self, model_name: str, language: str, device: str) -> None:
        pretrained = fetch_pretrained(model_name, "--tts_model_name", "a VITS model", files=_FILES)
        self._tokenizer = pretrained.load(VitsTokenizer)
        self._model = pretrained.load_model(VitsModel, device)
        self.sample_rate_hz: int = self._model.config.sampling_rate
        self._romanizer = _romanizer(language) if self._tokenizer.is_uroman else None

    def speak(self, text: str, speed: float) -> Any:
        """The text as float32 samples; empty if the model knows none of its letters."""
        if self._romanizer is not None:  # the tokenizer would read all its tables again for each call
            text = self._romanizer.romanize_string(text)
        tokens = self._tokenizer(text, return_tensors="pt").to(self._model.device)
        if not self._tokenizer.prepare_for_tokenization(text)[0]:
            return ()
        self._model.speaking_rate = speed
        with torch.inference_mode():
            return self._model(**tokens).waveform[0].float().cpu().numpy()


def _romanizer(language: str) -> Any:
    """The romanizer of uroman, which takes two seconds to read its tables."""
    try:
        import uroman
    except ImportError as error:
        raise UserError(
            f"--tts mms needs the package uroman to read {english_name(language)}; type: "
            f"{install_extra('mms')}"
        ) from error
    return uroman.Uroman()
