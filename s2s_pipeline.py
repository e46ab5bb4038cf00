"""The command: arguments ▶ engines ▶ connection ▶ sessions."""

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arguments_classes.file_arguments import FileArguments
from arguments_classes.local_arguments import LocalArguments
from arguments_classes.socket_arguments import SocketArguments
from connections.base import Connection
from listeners.audience import Audience
from LLM.base import ChatModel
from LLM.chat import Chat
from LLM.handler import LanguageModelHandler
from pipeline.clock import Clock
from pipeline.errors import UserError
from pipeline.handler import BaseHandler
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sink import Sink
from S2S.base import SpeechResponder
from S2S.handler import SpeechToSpeechHandler
from STT.base import Recognizer
from STT.handler import STTHandler
from TTS.base import Synthesizer
from TTS.handler import TTSHandler
from utils.device import find_device
from utils.environment import apply_model_cache_dir
from utils.logs import set_up_logging
from utils.noise_suppressor import NoiseSuppressor, expect_noise_suppressor
from utils.shutdown import Shutdown
from utils.smart_turn_file import smart_turn_file
from utils.streams import abandon_stdout, prepare_streams
from VAD.base import TurnDetector, VoiceDetector
from VAD.endpointer import EndpointerSettings
from VAD.handler import VADHandler

if TYPE_CHECKING:
    from arguments_classes.command_line import Arguments

SENTENCES_AHEAD = 8
"""Sentences that may wait for the synthesizer: the model need not wait, and stops soon when told to."""

SPEECH_AHEAD = 32
"""Pieces of audio that may wait to be heard."""


@dataclass(frozen=True, slots=True)
class Cascade:
    """Speech to text, language model, text to speech; and how each conversation begins."""

    stt: SharedEngine[Recognizer]
    llm: SharedEngine[ChatModel]
    tts: SharedEngine[Synthesizer]
    new_chat: Callable[[], Chat] = Chat


@dataclass(frozen=True, slots=True)
class Engines:
    """What is loaded once and serves every session."""

    vad: VoiceDetector
    endpointing: EndpointerSettings
    voice: Cascade | SharedEngine[SpeechResponder]
    turn_detector: SharedEngine[TurnDetector] | None = None
    new_enhancer: Callable[[int], Callable[[Samples], Samples]] | None = None
    """Makes, for a sample rate, what cleans the microphone of one conversation; None: nothing does."""

    @property
    def shared(self) -> tuple[SharedEngine[Any], ...]:
        """Those that wait in line for a slot."""
        voice = self.voice
        return (voice.stt, voice.llm, voice.tts) if isinstance(voice, Cascade) else (voice,)

    def have_room(self) -> bool:
        """Whether there is a free slot everywhere, also for work that may be thrown away."""
        return all(engine.free_slots for engine in self.shared)

    def close(self) -> None:
        """Free the weights, except those that a call still uses which does not return."""
        for engine in self.shared:
            engine.close()
        if self.turn_detector is not None:
            self.turn_detector.close()


def build_pipeline(
    engines: Engines,
    sink: Sink,
    *,
    settings: SessionSettings = SessionSettings(),
    clock: Clock | None = None,
) -> Session:
    """One conversation over these engines, heard through `sink`; it runs when this returns."""
    voice = engines.voice
    chat = voice.new_chat() if isinstance(voice, Cascade) else None
    capture_rate_hz = engines.vad.sample_rate_hz
    enhance = None if engines.new_enhancer is None else engines.new_enhancer(capture_rate_hz)
    session = Session(
        sink,
        capture_rate_hz,
        engines.vad.window_samples,
        settings=settings,
        memory=chat,
        clock=clock,
        enhance=enhance,
    )
    stop = session.stop_event
    utterances, speech = session.channel(), session.channel(SPEECH_AHEAD)
    playout = session.last_stage(speech)
    stages: list[BaseHandler[Any]] = [
        VADHandler(
            stop,
            session.audio,
            utterances,
            (engines.vad, engines.endpointing, session, engines.have_room, engines.turn_detector),
        )
    ]
    if isinstance(voice, Cascade):
        user_texts, sentences = session.channel(), session.channel(SENTENCES_AHEAD)
        stages += [
            STTHandler(stop, utterances, user_texts, (voice.stt, session)),
            LanguageModelHandler(stop, user_texts, sentences, (voice.llm, chat)),
            TTSHandler(stop, sentences, speech, (voice.tts,)),
        ]
    else:
        stages += [SpeechToSpeechHandler(stop, utterances, speech, (voice,))]
    stages += [playout]
    session.start(stages, takes_text=chat is not None)
    return session


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
        settings["device"] = settings["device"] or find_device(arguments.module.device)
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


def open_connection(arguments: "Arguments", shutdown: Shutdown) -> Connection:
    """The way in and out that was chosen; ports, devices and files are opened here."""
    match arguments.mode:
        case SocketArguments() as settings:
            from connections.socket_server import SocketServer

            return SocketServer(settings, shutdown)
        case LocalArguments() as settings:
            from connections.local import LocalAudioStreamer

            return LocalAudioStreamer(settings, shutdown)
        case FileArguments() as settings:
            from connections.file import FileConnection

            return FileConnection(settings, shutdown)


def run(arguments: "Arguments", shutdown: Shutdown) -> int:
    """Serve until the connection ends; its exit code."""
    if arguments.module.device != "auto":
        find_device(arguments.module.device)
    connection = open_connection(arguments, shutdown)
    engines = load_engines(arguments)
    if shutdown.requested.is_set():
        return 130
    audience = Audience(arguments.module)

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        session = build_pipeline(engines, sink, clock=clock)
        audience.attend(session, label)
        return session

    try:
        return connection.run(open_session)
    finally:
        audience.leave()
        engines.close()
        shutdown.heeded_by(lambda: None)  # or its thread would keep the last session to the very end


def main(argv: Sequence[str]) -> int:
    """Parse, check or run. Exit code 2: a mistake, explained; 3: no sound device; 130: Ctrl-C."""
    prepare_streams()
    apply_model_cache_dir()
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # or it complains that torch is missing
    from arguments_classes.command_line import parse_command_line

    try:
        arguments = parse_command_line(argv)
        set_up_logging(arguments.module.log_level)
        if arguments.module.check:
            from utils.self_check import self_check

            return self_check(arguments)
        return run(arguments, Shutdown())
    except UserError as error:
        print(f"s2s_pipeline.py: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        abandon_stdout()
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
