"""SpeechRequest: the body of ``POST /v1/audio/speech``."""

from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from connections.access.http_errors import BadParameter
from connections.access.http_json import understood
from connections.openai_audio.sound_encoder import SoundFormat
from pipeline.errors import EngineError
from pipeline.language import english_name, is_language, nearest
from pipeline.words import well_formed_json
from TTS.base import Synthesizer

MAX_CHARS = 4096
"""The limit of OpenAI's API."""

_READERS = ("fable", "nova", "onyx")
"""OpenAI's voices that read texts, but do not converse."""


class SpeechRequest(BaseModel, extra="forbid"):
    """A text to read aloud. A field that is null counts as left out."""

    model: str
    input: str = Field(min_length=1, max_length=MAX_CHARS)
    voice: str | None = None
    """Clients may write it as ``{"id": …}``."""
    instructions: str = ""
    """Has no effect: the voices here have one way to speak, as OpenAI's tts-1."""
    response_format: SoundFormat = "mp3"
    speed: float = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    language: str | None = None
    """ISO 639-1 code, which OpenAI's API lacks; a voice that was chosen speaks its own."""

    @model_validator(mode="before")
    @classmethod
    def _simplified(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        match fields.get("voice"):
            case {"id": str(voice), **rest} if not rest:
                fields = {**fields, "voice": voice}
        return {name: value for name, value in fields.items() if value is not None}


def speech_request(body: bytes, synthesizer: Synthesizer) -> SpeechRequest:
    """Parse a body for this voice. Raises `BadParameter`."""
    text = well_formed_json(body.decode("utf-8", "replace"))  # clients cut emoji in two
    request = understood(SpeechRequest, text.encode())
    if request.speed != 1.0:
        raise BadParameter(
            "speed: the voices here speak at a fixed pace; leave it out, or send 1", "speed"
        )
    code = request.language
    if code is None:
        return request
    known = nearest(synthesizer.info.languages, code) if is_language(code) else None
    if known is None:
        name = synthesizer.info.name
        raise BadParameter(
            f"language: {name} does not speak {english_name(code)!r:.100}; leave it out", "language"
        )
    return request.model_copy(update={"language": known})


def voice_of(request: SpeechRequest, synthesizer: Synthesizer) -> str | None:
    """The voice that was chosen; None: the usual one. Raises `BadParameter`.

    Clients must name a voice, and name one of OpenAI's unless they are told another; where the
    synthesizer does not have it, the usual voice speaks.
    """
    from connections.realtime.session_config import OPENAI_VOICES  # see `WebSocketServer.run`

    wanted = request.voice
    if wanted is None:
        return None
    try:
        synthesizer.expect_voice(wanted)
    except EngineError as error:
        if wanted in OPENAI_VOICES or wanted in _READERS:
            return None
        raise BadParameter(f"voice: {error}", "voice") from error
    return wanted
