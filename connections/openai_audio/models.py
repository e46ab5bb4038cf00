"""Models: the engines as OpenAI's API names them."""

from typing import Any

from connections.access.http_errors import BadParameter
from pipeline.capabilities import Capabilities
from pipeline.errors import ProtocolError
from pipeline.shared_engine import SharedEngine

HEARING, SPEAKING = "automatic-speech-recognition", "text-to-speech"
"""Tasks, in the words of the Hugging Face hub, as other servers of this API write them."""

_OPENAI = ("gpt-", "tts-", "whisper-")
"""Beginnings of the names of OpenAI's models, which clients ask for unless they are told another."""


def loaded(capabilities: Capabilities) -> dict[str, list[str]]:
    """Name of each model that can be called ▶ its tasks."""
    tasks: dict[str, list[str]] = {}
    for engine, task in (
        (capabilities.recognizer, HEARING),
        (capabilities.synthesizer, SPEAKING),
    ):
        if engine is not None:
            tasks.setdefault(name_of(engine), []).append(task)
    return tasks


def name_of(engine: SharedEngine[Any]) -> str:
    """The name that clients see: of several engines that stand in for each other, that of the first."""
    name: str = engine.engine.info.name
    return name.partition(",")[0]


def recognizer_of(capabilities: Capabilities) -> SharedEngine[Any]:
    """The recognizer. Raises `ProtocolError`."""
    if capabilities.recognizer is None:
        raise ProtocolError(
            "this server has no recognizer: its model hears the user itself", "no_engine"
        )
    return capabilities.recognizer


def synthesizer_of(capabilities: Capabilities) -> SharedEngine[Any]:
    """The voice. Raises `ProtocolError`."""
    if capabilities.synthesizer is None:
        raise ProtocolError("this server has no voice of its own: its model speaks itself", "no_engine")
    return capabilities.synthesizer


def expect_model(engine: SharedEngine[Any], wanted: str) -> None:
    """Raise `BadParameter` for a model that is neither loaded nor OpenAI's."""
    info = engine.engine.info
    if wanted not in (info.name, info.model, *info.name.split(",")) and not wanted.startswith(_OPENAI):
        raise BadParameter(
            f"expected the model {name_of(engine)}, or a name of OpenAI's, got {wanted!r:.100}",
            "model",
            "model_not_found",
        )
