"""Codec: the arguments and results of engines as JSON, with the samples beside it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.engine_info import (
    ChatModelInfo,
    DuplexInfo,
    RecognizerInfo,
    ResponderInfo,
    SynthesizerInfo,
)
from pipeline.messages import AudioChunk, ChatMessage, CutOff, Notice, Recording, ToolCall, WordTime
from pipeline.settings import EndpointerSettings, SessionSettings, Tool
from S2S.base import Question, SpokenPiece, UserWords
from STT.base import Transcription

_CLASSES = {
    c.__name__: c
    for c in (
        *(AudioChunk, ChatMessage, CutOff, Notice, Recording, Tool, ToolCall, Transcription, WordTime),
        *(EndpointerSettings, Question, SessionSettings, SpokenPiece, UserWords),
        *(ChatModelInfo, DuplexInfo, RecognizerInfo, ResponderInfo, SynthesizerInfo),
    )
}
_IS = "is"


def pack(value: Any) -> tuple[Any, bytes]:
    """A text, a number, one of the messages above, or a sequence of such ▶ JSON and the bytes of all
    samples."""
    blocks: list[bytes] = []
    return _pack(value, blocks), b"".join(blocks)


def unpack(packed: Any, body: bytes | bytearray) -> Any:
    """The reverse of `pack`; sequences come out as tuples."""
    if isinstance(packed, list):
        return tuple(unpack(item, body) for item in packed)
    if not isinstance(packed, dict):
        return packed
    fields = dict(packed)
    kind = fields.pop(_IS)
    if kind == "samples":
        return np.frombuffer(body, "<f4", fields["count"], fields["at"])
    if kind == "json":
        return fields["value"]
    return _CLASSES[kind](**{name: unpack(item, body) for name, item in fields.items()})


def _pack(value: Any, blocks: list[bytes]) -> Any:
    if isinstance(value, np.ndarray):
        at = sum(map(len, blocks))
        blocks.append(value.astype("<f4", copy=False).tobytes())
        return {_IS: "samples", "at": at, "count": len(value)}
    if type(value).__name__ in _CLASSES:
        names = (field.name for field in dataclasses.fields(value))
        return {_IS: type(value).__name__} | {n: _pack(getattr(value, n), blocks) for n in names}
    if isinstance(value, Mapping):  # a JSON schema, whose lists have to stay lists
        return {_IS: "json", "value": dict(value)}
    if isinstance(value, (list, tuple)):
        return [_pack(item, blocks) for item in value]
    return value
