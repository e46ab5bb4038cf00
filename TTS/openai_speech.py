"""Any server that speaks the OpenAI speech protocol, through the official SDK."""

import functools
import textwrap
from collections.abc import Iterator
from typing import Any

import openai

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import has_words
from TTS.served_audio import NotDecodable, decoded
from utils.openai_client import OpenAIServer
from utils.voices import unknown_voice, voice_flag

VOICES = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage",
    "shimmer", "verse",
)  # fmt: skip
"""OpenAI's voices (`openai.types.audio.speech_create_params.Voice`)."""

WITHOUT_STYLE = "tts-1"
"""OpenAI's models of this name, and "tts-1-hd", take no instructions."""

MAX_CHARS = 4096
"""OpenAI takes no more; longer texts are sent in parts."""


class OpenAISynthesizer:
    """OpenAI, Kokoro-FastAPI, Speaches, LocalAI and the like. A cancelled call ends at once, also at the
    server.

    The server is asked for pcm: int16, mono, at `sample_rate_hz` unless it names another rate. Many send
    another format, which is decoded or refused in each answer (`TTS/served_audio.py`). The voices of
    servers other than OpenAI's are unknown here: any name is passed on to the server.
    """

    def __init__(
        self,
        model_name: str | None = None,
        voice: str | None = None,
        style: str | None = None,
        speed: float = 1.0,
        sample_rate_hz: int = 24000,
        base_url: str | None = None,
        api_key_file: str | None = None,
        timeout_s: float = 30.0,
        retries: int = 1,
    ) -> None:
        self._server = OpenAIServer(
            "tts", "openai", model_name, "gpt-4o-mini-tts", base_url, api_key_file,
            timeout_s=timeout_s, retries=retries,
        )  # fmt: skip
        self.info = SynthesizerInfo(
            name="openai",
            slots=16,
            device="",
            model=self._server.model,
            host=self._server.host,
            sample_rate_hz=sample_rate_hz,
            languages=("any",),
            voices=VOICES,
            reads_written_forms=True,
        )
        self._voice = voice or VOICES[0]
        with voice_flag():
            self.expect_voice(self._voice)
        if style is not None and self._server.model.startswith(WITHOUT_STYLE):
            raise UserError(
                f"--tts_style: expected a model that takes a style, such as gpt-4o-mini-tts, got "
                f"--tts_model_name {self._server.model}"
            )
        self._request: dict[str, Any] = {"model": self._server.model, "response_format": "pcm"}
        if style is not None:
            self._request["instructions"] = style
        if speed != 1.0:
            self._request["speed"] = speed

    def expect_voice(self, voice: str) -> None:
        """Refuse a voice that OpenAI does not have; other servers refuse unknown names themselves."""
        if not voice or (self._server.is_openai and voice not in VOICES):
            raise unknown_voice(VOICES, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Speak `text`, as the server makes it; the model hears by itself what language it is."""
        for part in textwrap.wrap(text, MAX_CHARS):
            request = {**self._request, "voice": voice or self._voice, "input": part}
            silent = True
            for chunk in self._server.stream(functools.partial(self._audio, request), cancel):
                silent = False
                yield chunk
            if silent and has_words(part) and not cancel.cancelled:
                raise EngineError(
                    f"{self._server.where} sent no audio; choose another model or voice: "
                    "--tts_model_name, --tts_voice"
                )

    def reach(self) -> str:
        """Check the server and return its address. Raises `UserError` if it does not answer, or refuses
        the key."""
        return self._server.reach()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._server.close()

    def _audio(self, request: dict[str, Any], client: openai.OpenAI) -> Iterator[AudioChunk]:
        """Ask once, and decode the answer."""
        with client.audio.speech.with_streaming_response.create(**request) as response:
            content_type = response.headers.get("content-type", "")
            try:
                yield from decoded(response.iter_bytes(), content_type, self.info.sample_rate_hz)
            except NotDecodable as error:
                raise EngineError(f"{self._server.where} {error}") from error
