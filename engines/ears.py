"""Ears: the error for a recognizer that does not know the language of the conversation."""

from typing import Any

from catalog.registry import find
from pipeline.errors import UserError
from pipeline.language import base_of, english_name, speaks
from STT.spoken_language import from_whisper

_ENGINE, _MODEL = "faster-whisper", "small"
"""The recognizer of a hundred languages that runs on any machine, and its smallest good model."""


def require_ears(recognizer: Any, language: str | None) -> None:
    """Raise `UserError` if `recognizer` does not know `--language`: nothing useful could come of it."""
    if language is None or speaks(recognizer.info.languages, base_of(language)):
        return
    name, wanted = recognizer.info.name, english_name(language)
    raise UserError(f"--language {language}: {name} does not understand {wanted}; {_remedy(language)}")


def _remedy(language: str) -> str:
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    if base_of(language) not in map(from_whisper, LANGUAGES):
        return "choose a recognizer that does, with --stt (docs/engines.md lists them)"
    spec = find("stt", _ENGINE)
    install = f"type {spec.install}, then " if spec.missing() else ""
    return f"{install}add --stt {_ENGINE} --stt_model_name {_MODEL}"
