"""TranscriptionRequest: the form of ``POST /v1/audio/transcriptions``."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass

from connections.access.http_errors import BadParameter
from connections.access.http_form import form_of
from connections.openai_audio.transcript import TranscriptFormat
from pipeline.language import english_name, is_language, nearest
from STT.base import Recognizer

MAX_PARTS = 32
"""Parts of a form; a dozen names are known."""

_IGNORED = ("prompt", "temperature")
"""Hints for a recognizer; those here take none."""

_REFUSED = {
    "include[]": "log probabilities are not available",
    "keywords[]": "the recognizers do not accept keywords",
    "languages[]": "name one language, as language",
    "known_speaker_names[]": "speakers are not told apart",
    "known_speaker_references[]": "speakers are not told apart",
}

_KNOWN = (
    *("file", "model", "language", "response_format", "stream", "chunking_strategy"),
    *("timestamp_granularities[]", *_IGNORED, *_REFUSED),
)


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A recording to transcribe."""

    file: bytes
    model: str
    language: str | None
    response_format: TranscriptFormat
    stream: bool


def transcription_request(
    content_type: str, body: bytes, recognizer: Recognizer
) -> TranscriptionRequest:
    """Parse a form for this recognizer. Raises `BadParameter`."""
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise BadParameter("expected multipart/form-data", "content-type")
    form = form_of(content_type, body, MAX_PARTS)
    fields = dict(form)
    if "file" not in fields:
        raise BadParameter("file: expected a recording", "file")
    texts = {name: value.decode("utf-8", "replace") for name, value in fields.items() if name != "file"}
    if not texts.get("model"):
        raise BadParameter("model: expected a name, such as whisper-1", "model")
    _expect_served(texts)
    if any(name == "timestamp_granularities[]" and value == b"word" for name, value in form):
        raise BadParameter(
            "timestamp_granularities: expected segment; the recognizers do not tell the time of a word",
            "timestamp_granularities",
        )
    stream = texts.get("stream", "false").lower() in ("true", "1")
    response_format = _format(texts, stream=stream)
    return TranscriptionRequest(
        fields["file"], texts["model"], _language(texts, recognizer), response_format, stream
    )


def _expect_served(fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        param = name.removesuffix("[]")
        if name.startswith("chunking_strategy[") or (name == "chunking_strategy" and value != "auto"):
            raise BadParameter(
                "chunking_strategy: expected auto, which is always used", "chunking_strategy"
            )
        if name not in _KNOWN:
            raise BadParameter(f"expected a field of OpenAI's API, got {name!r:.100}", "body")
        if name in _REFUSED:
            raise BadParameter(f"{param}: {_REFUSED[name]}; leave it out", param)


def _format(fields: Mapping[str, str], *, stream: bool) -> TranscriptFormat:
    wanted = fields.get("response_format") or "json"
    for known in typing.get_args(TranscriptFormat):
        if wanted == known:
            if stream and known not in ("json", "text"):
                raise BadParameter(
                    "response_format: expected json or text with stream", "response_format"
                )
            return typing.cast(TranscriptFormat, known)
    names = ", ".join(typing.get_args(TranscriptFormat))
    raise BadParameter(f"response_format: expected {names}, got {wanted!r:.100}", "response_format")


def _language(fields: Mapping[str, str], recognizer: Recognizer) -> str | None:
    code = fields.get("language") or None
    if code is None:
        return None
    if not is_language(code):
        raise BadParameter(f"language: expected a code such as te, got {code!r:.100}", "language")
    known = nearest(recognizer.info.languages, code)
    if known is None:
        name = recognizer.info.name
        raise BadParameter(f"language: {name} does not understand {english_name(code)}", "language")
    return known
