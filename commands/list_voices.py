"""`--list_voices`: the voices of the chosen synthesizer."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from engines.loader import load_engine
from pipeline.errors import UserError
from pipeline.language import english_name
from TTS.base import Synthesizer

if TYPE_CHECKING:
    from command_line.arguments import Arguments


def list_voices(arguments: "Arguments") -> int:
    """Load the synthesizer and print a line for each voice. Returns 0; raises `UserError` if there is no
    synthesizer."""
    if "tts" not in arguments.engines:
        raise UserError("--list_voices: expected a synthesizer (--tts), got --s2s, which has none")
    with closing(load_engine(arguments, "tts")) as synthesizer:
        for line in _lines(synthesizer):
            print(line)
    return 0


def _lines(synthesizer: Synthesizer) -> Iterator[str]:
    """Two columns: the name of the voice, and its language if that is known."""
    info = synthesizer.info
    languages = ", ".join(f"{english_name(code)} ({code})" for code in info.languages)
    if not info.voices:
        yield f"{info.name} has no voices to choose from; its languages: {languages}"
        return
    spoken = info.voice_languages
    width = max(map(len, info.voices))
    for voice in info.voices:
        yield f"{voice:<{width}}  {english_name(spoken[voice])}" if voice in spoken else voice
    if not spoken.keys() >= set(info.voices):
        yield f"languages: {languages}"
