"""Which engines get a process of their own."""

import pytest

from arguments_classes.module_arguments import ModuleArguments
from catalog.registry import EngineSpec, find
from command_line.parse import parse_command_line
from pipeline.errors import UserError

LONG = EngineSpec("tts", "long", "", "x:Y", long_in_python=True)
QUICK = EngineSpec("tts", "quick", "", "x:Y")
APART = EngineSpec("tts", "apart", "", "x:Y", environment="parler")
FOREIGN = EngineSpec("tts", "foreign", "", "x:Y", foreign=("TTS",))


@pytest.mark.parametrize("mode", ["socket", "websocket", "realtime"])
def test_in_a_server_those_that_compute_long_in_python(mode: str) -> None:
    arguments = parse_command_line(["--mode", mode]).module
    assert arguments.isolates(LONG)
    assert not arguments.isolates(QUICK)


@pytest.mark.parametrize("mode", ["local", "file"])
def test_where_there_is_one_conversation_none_of_them(mode: str) -> None:
    assert not ModuleArguments(mode=mode).isolates(LONG)  # type: ignore[arg-type]


@pytest.mark.parametrize("isolate", [None, "none", "stt"])
def test_those_that_cannot_live_with_the_others_always(isolate: str | None) -> None:
    arguments = ModuleArguments(mode="file", isolate=isolate)
    assert arguments.isolates(APART)
    assert arguments.isolates(FOREIGN)


def test_what_was_said_wins() -> None:
    assert not ModuleArguments(isolate="none").isolates(LONG)
    chosen = parse_command_line(["--isolate", "stt,llm", "--llm", "eliza"]).module
    assert chosen.isolates(find("stt", "moonshine"))
    assert chosen.isolates(find("llm", "eliza"))
    assert not chosen.isolates(LONG), "it is of another stage"
    assert not chosen.isolates(find("vad", "silero"))


@pytest.mark.parametrize("isolate", ["", "vad", "stt, tts", "all", "none,stt"])
def test_what_cannot_be_isolated_is_told(isolate: str) -> None:
    with pytest.raises(UserError, match="--isolate: expected none, or some of stt, llm, tts, s2s"):
        ModuleArguments(isolate=isolate)


def test_a_model_that_is_yet_to_be_found_cannot_be() -> None:
    with pytest.raises(UserError, match="--llm: expected a language model by name"):
        ModuleArguments(isolate="llm")
