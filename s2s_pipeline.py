"""The program: arguments ▶ engines ▶ connection ▶ sessions."""

from utils.launch import end, prepare_launch
from utils.threads import apply_thread_limits

if __name__ == "__main__":
    prepare_launch("s2s_pipeline.py")  # before imports that are slow, or fail for missing packages
    apply_thread_limits()

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arguments_classes.file_arguments import FileArguments
from arguments_classes.local_arguments import LocalArguments
from arguments_classes.socket_arguments import SocketArguments
from arguments_classes.websocket_arguments import WebSocketArguments
from commands.extras import provide
from connections.base import Connection
from connections.recorded.archive import Archive
from engines.engines import Cascade, Duplex, Engines, Live, Responder
from engines.loader import load_engines
from engines.upgrades import Upgrades
from listeners.audience import Audience
from listeners.start_panel import describe, show_panel
from LLM.handler import LanguageModelHandler
from LLM.read_ahead import ReadAhead
from pipeline.channel import Channel
from pipeline.clock import Clock
from pipeline.errors import UserError
from pipeline.handler import BaseHandler
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.sink import Sink
from pipeline.stage import stage
from S2S.duplex_handler import DuplexHandler
from S2S.frame_handler import FrameHandler, answers_frames
from S2S.handler import SpeechToSpeechHandler
from S2S.realtime.handler import RealtimeHandler
from STT.handler import STTHandler
from STT.listening import Listening, listens
from STT.live_transcript import LiveTranscript
from TTS.handler import TTSHandler
from utils.device import find_device
from utils.environment import apply_model_cache_dir
from utils.installation import program
from utils.keyboard import release_keyboard
from utils.logs import set_up_logging
from utils.shutdown import Shutdown
from utils.streams import abandon_stdout, prepare_streams, tell
from utils.thread_manager import ThreadManager
from VAD.base import PartialListener
from VAD.handler import VADHandler
from VAD.turn_end_policy import TurnEndPolicy

if TYPE_CHECKING:
    from command_line.arguments import Arguments

SENTENCES_AHEAD = 8
"""Sentences that may wait for the synthesizer: enough that the model need not wait, few enough that it
stops soon when the turn is cancelled."""

SPEECH_AHEAD = 32
"""Pieces of audio that may wait for playout."""

COMMANDS = ("install", "check", "download", "list_voices")
"""Flags that do something other than talk: each names a module of commands/ and the function in it."""


def build_pipeline(
    engines: Engines,
    sink: Sink,
    *,
    settings: SessionSettings = SessionSettings(),
    clock: Clock | None = None,
) -> Session:
    """Build one conversation with these engines, and start it. The user hears it through `sink`."""
    capture_rate_hz, window_samples = engines.capture
    enhance = None if engines.new_enhancer is None else engines.new_enhancer(capture_rate_hz)
    session = Session(
        sink,
        capture_rate_hz,
        window_samples,
        settings=settings,
        clock=clock,
        enhance=enhance,
    )
    stop, audio = session.stop_event, session.audio
    speech = session.channel(None if isinstance(engines.voice, Live) else SPEECH_AHEAD)
    playout = session.last_stage(speech, engines.sound_source)
    stages: list[BaseHandler[Any]]
    match engines.voice:
        case Cascade() as cascade:
            stages = _cascade_stages(engines, cascade, session, speech)
        case Responder() as responder:
            stages = _responder_stages(engines, responder, session, speech)
        case Duplex(s2s=model):
            stages = [stage(DuplexHandler, stop, audio, speech, model, engines.places, session)]
        case Live(s2s=server, new_chat=new_chat):
            chat = session.reports.memory = new_chat()
            stages = [stage(RealtimeHandler, stop, audio, speech, server.engine, chat, session)]
    session.start([*stages, playout], engines.capabilities, ThreadManager)
    return session


def _cascade_stages(
    engines: Engines, cascade: Cascade, session: Session, speech: Channel[Any]
) -> list[BaseHandler[Any]]:
    """VAD ▶ STT ▶ LLM ▶ TTS."""
    stt, llm, tts, stop = cascade.stt, cascade.llm, cascade.tts, session.stop_event
    utterances, user_texts = session.channel(), session.channel()
    sentences = session.channel(SENTENCES_AHEAD)
    turn_ends = TurnEndPolicy(engines.endpointing, engines.turn_judges, session.activity)
    chat = session.reports.memory = cascade.new_chat()
    read_ahead = ReadAhead(llm, chat, session)
    listening = Listening(stt, session, read_ahead) if listens(stt) else None
    partials = listening or LiveTranscript(stt, session, read_ahead)
    words = turn_ends.heard_words
    return [
        _vad_stage(engines, session, utterances, turn_ends, partials),
        stage(STTHandler, stop, utterances, user_texts, stt, session, listening, words),
        stage(LanguageModelHandler, stop, user_texts, sentences, llm, chat, session),
        stage(TTSHandler, stop, sentences, speech, tts, session),
    ]


def _responder_stages(
    engines: Engines, responder: Responder, session: Session, speech: Channel[Any]
) -> list[BaseHandler[Any]]:
    """VAD ▶ S2S. An engine that answers frame by frame also gets speech that is still going on."""
    s2s, stop = responder.s2s, session.stop_event
    utterances = phrases = session.channel()
    turn_ends = TurnEndPolicy(engines.endpointing, engines.turn_judges, session.activity)
    chat = session.reports.memory = responder.new_chat()
    frames: list[BaseHandler[Any]] = []
    if answers_frames(s2s):
        phrases = session.channel()
        frames = [stage(FrameHandler, stop, utterances, phrases, s2s)]
    return [
        _vad_stage(engines, session, utterances, turn_ends, None),
        *frames,
        stage(SpeechToSpeechHandler, stop, phrases, speech, s2s, chat, session),
    ]


def _vad_stage(
    engines: Engines,
    session: Session,
    utterances: Channel[Any],
    turn_ends: TurnEndPolicy,
    partials: PartialListener | None,
) -> VADHandler:
    return stage(
        VADHandler,
        session.stop_event,
        session.audio,
        utterances,
        engines.shared_vad,
        engines.endpointing,
        session,
        turn_ends,
        engines.have_room,
        partials,
    )


def open_connection(arguments: "Arguments", shutdown: Shutdown) -> Connection:
    """Open the ports, devices or files of the chosen mode."""
    match arguments.mode:
        case SocketArguments() as settings:
            from connections.tcp.server import SocketServer

            return SocketServer(settings, shutdown)
        case WebSocketArguments() as settings:
            from connections.web.server import WebSocketServer

            return WebSocketServer(settings, shutdown)
        case LocalArguments() as settings:
            from connections.local.audio_streamer import LocalAudioStreamer

            return LocalAudioStreamer(settings, shutdown)
        case FileArguments() as settings:
            from connections.recorded.file import FileConnection

            return FileConnection(settings, shutdown)


def give_up() -> None:
    """End at once, while the engines are loaded."""
    release_keyboard()
    os._exit(130)


def run(arguments: "Arguments", shutdown: Shutdown, note: str = "") -> int:
    """Serve until the connection ends, and return its exit code. `note` is shown when all is loaded."""
    shutdown.on_stop(give_up)  # a question to the user cannot be interrupted, either
    provide(arguments)
    shutdown.on_stop(lambda: None)
    if arguments.module.device != "auto":
        find_device(arguments.module.device)
    connection = open_connection(arguments, shutdown)
    audience, settings = Audience(arguments.module), arguments.session_settings()
    archive = Archive(Path(arguments.module.record)) if arguments.module.record else None
    shutdown.on_stop(give_up)  # loading may take minutes and cannot be interrupted
    engines = load_engines(arguments)
    shutdown.on_stop(lambda: None)
    upgrades = Upgrades(engines, arguments)
    audience.upgrades = upgrades
    if note:
        print(f"  {note}", file=sys.stderr)
    if not isinstance(arguments.mode, LocalArguments):  # that one adds its devices
        show_panel(describe(engines.capabilities.describe()))
    gc.freeze()  # a garbage collection of everything loaded takes 75 ms, in which no audio flows

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        engines.places.expect_free()  # before a recording begins
        recorder = None if archive is None else archive.keep(sink, label)
        session = build_pipeline(engines, recorder or sink, settings=settings, clock=clock)
        if recorder is not None:
            recorder.attach(session)
        audience.attend(session, label)
        return session

    with contextlib.ExitStack() as at_the_end:  # in reverse order
        # without this, the thread that handles signals would keep the last session until the very end
        at_the_end.callback(shutdown.on_stop, lambda: None)
        at_the_end.callback(engines.close)
        if archive is not None:
            at_the_end.callback(archive.close)
        at_the_end.callback(audience.leave)
        at_the_end.callback(upgrades.close)
        return connection.run(open_session, engines.capabilities, upgrades)


def find_command(arguments: "Arguments") -> "Callable[[Arguments], int] | None":
    """The command whose flag was given. None: the user wants to talk."""
    for name in COMMANDS:
        if getattr(arguments.module, name) not in (None, False):
            command: Callable[[Arguments], int] = getattr(import_module(f"commands.{name}"), name)
            return command
    return None


def main(argv: Sequence[str], note: str = "") -> int:
    """Parse the command line and run. Exit code 2: a mistake, explained; 3: no sound device; 130:
    Ctrl-C. `note` is shown when all is loaded."""
    prepare_streams()
    apply_model_cache_dir()
    from command_line.parse import parse_command_line

    try:
        arguments = parse_command_line(argv)
        set_up_logging(arguments.module.log_level, arguments.module.log_format)
        command = find_command(arguments)
        with arguments.file.naming():
            return run(arguments, Shutdown(), note) if command is None else command(arguments)
    except UserError as error:
        tell(str(error), f"{program()}: ")
        return error.exit_code
    except BrokenPipeError:
        abandon_stdout()
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    end(main(sys.argv[1:]))
