"""`--list_voices`: the voices of the chosen synthesizer, or of the end-to-end engine."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from engines.loader import load_engine
from pipeline.engine_info import DuplexInfo, LiveInfo, ResponderInfo, SynthesizerInfo
from pipeline.language import ANY, english_name

if TYPE_CHECKING:
    from command_line.arguments import Arguments


def list_voices(arguments: "Arguments") -> int:
    """Load the engine that speaks and print a line for each voice. Returns 0; raises `UserError`."""
    stage = "tts" if "tts" in arguments.engines else "s2s"
    with closing(load_engine(arguments, stage)) as engine:
        for line in _lines(engine.info):
            print(line)
    return 0


def _lines(info: SynthesizerInfo | ResponderInfo | DuplexInfo | LiveInfo) -> Iterator[str]:
    """Two columns: the name of the voice, and its language if that is known."""
    codes = () if isinstance(info, (DuplexInfo, LiveInfo)) else info.languages
    languages = ", ".join("any" if code == ANY else f"{english_name(code)} ({code})" for code in codes)
    if not info.voices:
        its_languages = f"; its languages: {languages}" if languages else ""
        yield f"{info.name} has no voices to choose from{its_languages}"
        return
    spoken = info.voice_languages if isinstance(info, SynthesizerInfo) else {}
    width = max(map(len, info.voices))
    for voice in info.voices:
        yield f"{voice:<{width}}  {english_name(spoken[voice])}" if voice in spoken else voice
    if languages and not spoken.keys() >= set(info.voices):
        yield f"languages: {languages}"
