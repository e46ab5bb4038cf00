"""Any server that speaks the OpenAI transcription protocol, through the official SDK."""

from collections.abc import Iterator, Sequence
from typing import Any

import langcodes
import openai

from pipeline.audio import split_at_quiet
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import EngineError
from pipeline.language import DETECTED, is_detected
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.openai_client import OpenAIServer
from utils.wav import as_wav

MIN_AUDIO_S = 0.1
"""Shorter audio holds no word, and OpenAI refuses it."""

MAX_AUDIO_S = 600.0
"""Longer audio is sent in parts: OpenAI takes files of 25 MB, which is 13 minutes."""

FORMATS = ("verbose_json", "json")
"""Formats of the answer; the first names the language too."""


class OpenAIRecognizer:
    """OpenAI, Speaches, vLLM, whisper.cpp's and LocalAI's servers and the like. A cancelled call is
    over at once, at the server too.

    `language` is a code; without one the server finds out, and says so where it answers "verbose_json".
    """

    def __init__(
        self,
        model_name: str | None = None,
        language: str | None = None,
        base_url: str | None = None,
        api_key_file: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 1,
    ) -> None:
        self._server = OpenAIServer(
            "stt", "openai", model_name, "gpt-4o-mini-transcribe", base_url, api_key_file,
            timeout_s=timeout_s, retries=retries,
        )  # fmt: skip
        self.info = RecognizerInfo(
            name="openai",
            slots=16,
            about=self._server.about,
            sample_rate_hz=16000,
            languages=("any",),
        )
        self._language = language
        self._formats: tuple[str, ...] = FORMATS

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words."""
        if language is None or is_detected(language):  # the server detects it again
            language = self._language
        texts, spoken = [], language
        for part in split_at_quiet(samples, self.info.sample_rate_hz, MAX_AUDIO_S):
            if len(part) < MIN_AUDIO_S * self.info.sample_rate_hz:
                continue
            for text, detected in self._heard(as_wav(part, self.info.sample_rate_hz), language, cancel):
                texts.append(text.strip())
                spoken = spoken or detected
        return Transcription(" ".join(filter(None, texts)), spoken)

    def reach(self) -> str:
        """Check the server and return its address. Raises `UserError` if it does not answer, or refuses
        the key."""
        return self._server.reach()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._server.close()

    def _heard(
        self, wav: bytes, language: str | None, cancel: CancelToken
    ) -> Sequence[tuple[str, str | None]]:
        """Text and detected language: one pair, or none when cancelled. OpenAI's models since 2025 do
        not know "verbose_json": what the server understood once it is asked forever after."""
        request: dict[str, Any] = {"file": ("speech.wav", wav, "audio/wav"), "model": self._server.model}
        if language is not None:
            request["language"] = language

        def ask(client: openai.OpenAI) -> Iterator[tuple[str, str | None]]:
            answer: Any = client.audio.transcriptions.create(**request)
            if not isinstance(answer.text, str):
                raise ValueError("no text")
            yield answer.text, _code_of(getattr(answer, "language", None))

        for request["response_format"] in self._formats:
            try:
                heard = list(self._server.stream(ask, cancel))
            except EngineError as error:
                refused = isinstance(error.__cause__, openai.BadRequestError)
                if not refused or request["response_format"] == self._formats[-1]:
                    raise
            else:
                if heard:
                    self._formats = (request["response_format"],)
                return heard
        return ()


def _code_of(language: object) -> str | None:
    """Code of a language that a server detected; some servers give the code, OpenAI the English name."""
    if not isinstance(language, str):
        return None
    if len(language) in (2, 3) and language.isalpha():
        return f"{language.lower()}{DETECTED}"
    try:
        return f"{langcodes.find(language, 'en').language}{DETECTED}"
    except LookupError:
        return None
