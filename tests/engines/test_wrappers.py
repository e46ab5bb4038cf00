"""What stands in the place of an engine gives all that the engine does: a process of its own, failover,
people with a name."""

import dataclasses
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from catalog.people import Person
from catalog.registry import EngineSpec
from engines.failover_chat_model import FailoverChatModel
from engines.failover_recognizer import FailoverRecognizer
from engines.failover_synthesizer import FailoverSynthesizer
from engines.isolation import codec
from engines.isolation.engines import isolate
from engines.named_voices import NamedVoices
from LLM.base import ChatModel
from pipeline.engine_info import RecognizerInfo
from pipeline.messages import ChatMessage, Recording
from pipeline.turn import CancelToken
from STT.base import Recognizer, RecognizerStream, StreamingRecognizer
from testing.contracts import speech_like
from testing.fakes import LoudnessStreamer, ScriptedModel
from testing.null_engines import NullChatModel, NullRecognizer, NullStreamer, NullSynthesizer
from tests import workers
from TTS.base import Synthesizer

PROTOCOLS = (Recognizer, StreamingRecognizer, RecognizerStream, ChatModel, Synthesizer)

PEOPLE = {"Sita": Person("somebody", "en", "high")}


def methods(protocol: type) -> set[str]:
    """How it is called."""
    return {
        name
        for base in protocol.__mro__
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("protocol", "spec", "bare"),
    [
        (Recognizer, workers.STT, NullRecognizer()),
        (StreamingRecognizer, workers.STREAMER, NullStreamer()),
        (ChatModel, workers.LLM, NullChatModel()),
        (Synthesizer, workers.TTS, NullSynthesizer()),
    ],
)
def test_in_a_process_of_its_own_an_engine_is_what_it_is(
    protocol: type, spec: EngineSpec, bare: Any
) -> None:
    isolated = isolate(spec, {}, "cpu")
    try:
        device = f"{bare.info.device}, in a process of its own"
        assert isolated.info == dataclasses.replace(bare.info, device=device)
        for name in methods(protocol):
            asked, taken = (
                inspect.signature(getattr(engine, name)).parameters for engine in (bare, isolated)
            )
            assert asked == taken, name
    finally:
        isolated.close()


@pytest.mark.parametrize(
    ("protocol", "wrapped", "bare"),
    [
        (Recognizer, FailoverRecognizer([NullStreamer()], 1.0), NullStreamer()),
        (ChatModel, FailoverChatModel([NullChatModel()], 1.0), NullChatModel()),
        (Synthesizer, FailoverSynthesizer([NullSynthesizer()], 1.0), NullSynthesizer()),
        (Synthesizer, NamedVoices(NullSynthesizer(), {}), NullSynthesizer()),
    ],
)
def test_wrapped_an_engine_is_what_it_is(protocol: type, wrapped: Any, bare: Any) -> None:
    """Except that a failover hears the whole of an utterance."""
    expected = bare.info
    if isinstance(expected, RecognizerInfo):
        expected = dataclasses.replace(expected, chunk_samples=0)
    assert wrapped.info == expected
    for name in methods(protocol):
        assert callable(getattr(wrapped, name))


def test_people_with_a_name_say_what_they_speak() -> None:
    named = NamedVoices(NullSynthesizer(), PEOPLE)
    assert named.info.voices == ("Sita", "low", "high")
    assert named.info.voice_languages == {"Sita": "en", "low": "en", "high": "te"}
    assert named.info.device == "nothing at all"
    assert FailoverSynthesizer([named], 1.0).info == named.info


def test_a_failover_does_not_stream() -> None:
    """Another engine cannot go on with half an utterance: whoever takes the call hears the whole."""
    engine = FailoverRecognizer([LoudnessStreamer(), LoudnessStreamer()], 1.0)
    assert not isinstance(engine, StreamingRecognizer)
    sound = speech_like(engine.info.sample_rate_hz)
    expected = LoudnessStreamer().transcribe(sound, None, CancelToken())
    assert expected.text
    assert engine.transcribe(sound, None, CancelToken()) == expected


def test_a_model_without_functions_that_takes_over_hears_what_was_said() -> None:
    model = ScriptedModel("Yes.")
    model.info = dataclasses.replace(model.info, takes_tools=False)
    said = Recording(speech_like(16000), 16000)
    messages = [ChatMessage("user", "(spoken)", audio=said)]
    list(FailoverChatModel([model], 1.0).generate(messages, CancelToken()))
    ((heard,),) = model.prompts
    assert heard.audio is said


def classes_in(hint: Any) -> Iterator[type]:
    """The dataclasses of a type, and of their fields."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        yield hint
        for field in typing.get_type_hints(hint).values():
            yield from classes_in(field)
    for part in typing.get_args(hint):
        yield from classes_in(part)


def test_all_that_engines_are_given_and_give_can_travel() -> None:
    travels = {
        found
        for protocol in PROTOCOLS
        for name in methods(protocol)
        for hint in typing.get_type_hints(getattr(protocol, name)).values()
        for found in classes_in(hint)
    }
    assert {ChatMessage, Recording} <= travels
    assert travels <= set(codec._CLASSES.values())
