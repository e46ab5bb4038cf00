"""ServedTranscript: the words in the answer of a transcription server, whatever its form."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from STT.no_speech import is_silence

_MARKUP = re.compile(r"<(!doctype|html|head|body|\?xml)\b|WEBVTT\b|\d+\s+\d\d:\d\d:\d\d", re.I)
"""Beginnings of a web page and of subtitles, which are not transcripts."""

_TEXTS = ("text", "transcription", "transcript", "prediction")
_PARTS = ("segments", "results", "result", "channels", "chunks")


@dataclass(frozen=True, slots=True)
class ServedTranscript:
    """Words, and the language that the server detected, as a code or in English. `text` is None if
    the field for the words is empty."""

    text: str | None
    language: object = None


def read_transcript(body: str, content_type: str) -> ServedTranscript:
    """Read an answer: JSON, or plain text. Raises `ValueError` for anything else."""
    body = body.strip("\ufeff \t\r\n")
    is_json = "json" in content_type
    if is_json or body[:1] in ("{", "["):
        try:
            answer = json.loads(body)
        except RecursionError as error:  # brackets too deep
            raise ValueError("no transcript") from error
        except ValueError:
            if is_json:
                raise
        else:
            language = answer.get("language") if isinstance(answer, dict) else None
            return ServedTranscript(_text_of(answer), language)
    if _MARKUP.match(body) or "event-stream" in content_type:
        raise ValueError("no transcript")
    return ServedTranscript(body or None)


def _text_of(answer: Any) -> str | None:
    """The words in parsed JSON; None if it has none. Raises `ValueError` if it is not a transcript."""
    match answer:
        case None | str():
            return answer
        case [*parts]:
            texts = [text.strip() for text in map(_text_of, parts) if text]
            return " ".join(texts) if texts else None
        case {"alternatives": [best, *_]}:
            return _text_of(best)
        case dict():
            return _text_of_fields(answer)
    raise ValueError("no transcript")


def _text_of_fields(fields: Mapping[str, Any]) -> str | None:
    text = next((fields[name] for name in _TEXTS if fields.get(name) is not None), None)
    parts = next((fields[name] for name in _PARTS if isinstance(fields.get(name), (list, dict))), None)
    if isinstance(parts, list):
        spoken = [part for part in parts if not _is_invented(part)]
        if text is None or len(spoken) < len(parts):
            return _text_of(spoken) or ""
    if text is None and parts is None:
        if fields.keys().isdisjoint(_TEXTS):
            raise ValueError("no transcript")
        return None
    return _text_of(text if text is not None else parts)


def _is_invented(segment: object) -> bool:
    """True for a segment of "verbose_json" that the server itself considers silence."""
    match segment:
        case {
            "no_speech_prob": int() | float() as no_speech,
            "avg_logprob": int() | float() as sureness,
        }:
            return is_silence(no_speech, sureness)
    return False
