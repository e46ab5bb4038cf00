"""Any server that speaks the OpenAI transcription protocol, through the official SDK."""

from collections.abc import Iterator
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
from STT.served_transcript import ServedTranscript, read_transcript
from utils.openai_client import OpenAIServer
from utils.wav import as_wav

MIN_AUDIO_S = 0.1
"""Shorter audio holds no word, and OpenAI refuses it."""

MAX_AUDIO_S = 600.0
"""Longer audio is sent in parts: OpenAI takes files of 25 MB, which is 13 minutes."""

FORMATS = ("verbose_json", "json", None)
"""Formats of the answer, the best first: "verbose_json" also names the language and marks silence. None:
the server chooses."""

_MAY_BE_THE_FORMAT = (400, 404, 405, 406, 415, 422, 500, 501)
"""Statuses with which servers refuse a format that they do not know. Others, such as 401, 429 and 503,
have other causes, and so does a missing answer."""


class OpenAIRecognizer:
    """OpenAI, Speaches, vLLM, whisper.cpp's and LocalAI's servers and the like. A cancelled call
    ends at once, also at the server.

    `language` is a code; without one the server detects it, and reports it in "verbose_json". A format
    that a server accepted is used first from then on; if it is refused, all are tried again.
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
            device="",
            model=self._server.model,
            host=self._server.host,
            sample_rate_hz=16000,
            languages=("any",),
        )
        self._language = language
        self._formats: tuple[str | None, ...] = FORMATS

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words."""
        if language is None or is_detected(language):  # the server detects it again
            language = self._language
        texts, spoken = [], language
        for part in split_at_quiet(samples, self.info.sample_rate_hz, MAX_AUDIO_S):
            if len(part) < MIN_AUDIO_S * self.info.sample_rate_hz:
                continue
            heard = self._heard(as_wav(part, self.info.sample_rate_hz), language, cancel)
            if heard is not None and heard.text is not None:
                texts.append(heard.text.strip())
                spoken = spoken or _code_of(heard.language)
        return Transcription(" ".join(filter(None, texts)), spoken)

    def reach(self) -> str:
        """Check the server and return its address. Raises `UserError` if it does not answer, or refuses
        the key."""
        return self._server.reach()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._server.close()

    def _heard(self, wav: bytes, language: str | None, cancel: CancelToken) -> ServedTranscript | None:
        """Ask for one format after another, until the server accepts one; None when cancelled. Raises
        the error of the last, unless the answer to an earlier one says that there are no words."""
        request: dict[str, Any] = {"file": ("speech.wav", wav, "audio/wav"), "model": self._server.model}
        if language is not None:
            request["language"] = language
        formats, heard, refusal = self._formats, None, None
        for known in formats:
            try:
                heard = self._ask({**request, **_named(known)}, cancel) or heard
            except EngineError as error:
                if not _may_be_the_format(error):
                    raise
                refusal = error
            if cancel.cancelled:
                return None
            if heard is not None and heard.text is not None:
                self._formats = (known, *(other for other in formats if other != known))
                return heard
        if heard is None and refusal is not None:
            raise refusal
        return heard

    def _ask(self, request: dict[str, Any], cancel: CancelToken) -> ServedTranscript | None:
        def ask(client: openai.OpenAI) -> Iterator[ServedTranscript]:
            answer: Any = client.audio.transcriptions.with_raw_response.create(**request)
            yield read_transcript(answer.text, answer.headers.get("content-type", ""))

        heard = list(self._server.stream(ask, cancel))
        return heard[0] if heard else None


def _named(response_format: str | None) -> dict[str, str]:
    return {} if response_format is None else {"response_format": response_format}


def _may_be_the_format(error: EngineError) -> bool:
    """True if another format may work: the server refused, or its answer could not be read."""
    match error.__cause__:
        case openai.APIStatusError(status_code=status):
            return status in _MAY_BE_THE_FORMAT
        case openai.APIError():  # no answer
            return False
    return True


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
