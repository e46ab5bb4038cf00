"""From the chosen engines to loaded ones."""

import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from LLM.base import ChatModel
from LLM.chat import Chat
from pipeline.errors import UserError
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from S2S.base import SpeechResponder
from utils.device import expect_device, find_device
from utils.engines import Cascade, Engines
from utils.noise_suppressor import NoiseSuppressor, expect_noise_suppressor
from utils.smart_turn_file import smart_turn_file
from VAD.base import TurnDetector

if TYPE_CHECKING:
    from arguments_classes.command_line import Arguments


def load_engines(arguments: "Arguments") -> Engines:
    """Load what was chosen, all at once, and say what runs. Raises `UserError`."""
    chosen = arguments.engines
    if arguments.module.audio_enhancement:
        expect_noise_suppressor()
    with ThreadPoolExecutor(len(chosen) + 2) as loaders:
        loading = {stage: loaders.submit(load_engine, arguments, stage) for stage in chosen}
        if "llm" not in chosen and "s2s" not in chosen:
            loading["llm"] = loaders.submit(choose_language_model, arguments)
        detecting = loaders.submit(load_turn_detector, arguments.vad.turn_detector)
        loaded = {stage: future.result() for stage, future in loading.items()}
    for stage, choice in chosen.items():
        announce(stage, choice.row.name, getattr(loaded[stage], "about", choice.row.about))
        if choice.why:
            print(f"        {choice.why}", file=sys.stderr)
    endpointing = dataclasses.asdict(arguments.vad)
    for name in ("sample_rate", "turn_detector"):
        del endpointing[name]
    if "s2s" in loaded:
        voice: Cascade | SharedEngine[SpeechResponder] = SharedEngine(loaded["s2s"])
    else:
        chat_settings = dataclasses.asdict(arguments.chat)
        stt, llm, tts = (SharedEngine(loaded[stage]) for stage in ("stt", "llm", "tts"))
        voice = Cascade(stt, llm, tts, lambda: Chat(**chat_settings))
    settings = EndpointerSettings(**endpointing)
    enhancer = NoiseSuppressor if arguments.module.audio_enhancement else None
    return Engines(loaded["vad"], settings, voice, detecting.result(), enhancer)


def load_engine(arguments: "Arguments", stage: str) -> Any:
    """The engine chosen for a stage, with its weights."""
    choice = arguments.engines[stage]
    engine_class = choice.row.load()
    if stage == "vad":
        return engine_class(arguments.vad.sample_rate, **choice.settings)
    settings = dict(choice.settings)
    if "device" in settings:
        own, able = settings["device"], choice.row.devices
        settings["device"] = (
            expect_device(own, f"--{stage}_device", able)
            if own
            else find_device(arguments.module.device, able)
        )
    return engine_class(**settings)


def load_turn_detector(wanted: str) -> SharedEngine[TurnDetector] | None:
    """Smart Turn, if it is wanted and its file is there."""
    if wanted == "silence":
        return None
    path = smart_turn_file() if wanted == "auto" else Path(wanted).expanduser()
    if not path.exists():
        if wanted != "auto":
            raise UserError(f"--turn_detector: expected auto, silence or an ONNX file, got {wanted}")
        announce("turn", "silence", "pauses alone end your turn; type: python -m utils.smart_turn_file")
        return None
    from VAD.smart_turn import SmartTurnDetector

    detector = SmartTurnDetector(str(path))
    announce("turn", "Smart Turn v3", "hears whether you have finished")
    return SharedEngine(detector)


def choose_language_model(arguments: "Arguments") -> ChatModel:
    """`--llm auto`: a server on this machine, else the stand-in; never one elsewhere."""
    from LLM import auto

    settings = dict(arguments.auto)
    wanted = settings.pop("model_name")
    servers = auto.find_local_servers(arguments.own_ports())
    for server in servers:
        for model in server.models:
            if wanted in (None, model):
                announce("llm", f"{model} on {server.name}", f"it answers at {server.base_url}")
                from LLM.openai_chat import OpenAIChatModel

                return OpenAIChatModel(model, server.base_url, key="none", **settings)
    if wanted is not None:
        found = ", ".join(model for server in servers for model in server.models) or "none"
        raise UserError(
            f"--llm_model_name: expected a model of a server on this machine ({found}), got {wanted}; "
            "a server elsewhere is named with --llm openai --llm_base_url"
        )
    announce("llm", "eliza", "a stand-in, since no server on this machine has a language model")
    print(f"        {auto.advice(servers)}", file=sys.stderr)
    from LLM.eliza import ElizaModel

    return ElizaModel()


def announce(stage: str, name: str, about: str) -> None:
    """Say what runs; on standard error, since standard output may be for a machine."""
    print(f"  {stage.upper():<4}  {name}: {about}", file=sys.stderr)
