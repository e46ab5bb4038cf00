"""ScriptedServer and ScriptedWebServer: the real servers over scripted engines, in this process."""

import threading
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from arguments_classes.socket_arguments import SocketArguments
from arguments_classes.websocket_arguments import WebSocketArguments
from connections.base import Connection
from connections.tcp.server import SocketServer
from connections.web.server import WebSocketServer
from engines.engines import Cascade, Engines, Responder, Voice
from engines.upgrades import Upgrades
from LLM.base import ChatModel
from LLM.chat import Chat
from pipeline.clock import Clock
from pipeline.session import Session
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sink import Sink
from S2S.base import SpeechResponder
from s2s_pipeline import build_pipeline
from STT.base import Recognizer
from testing.fakes import (
    LoudnessDetector,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from TTS.base import Synthesizer
from utils.shutdown import StopRequest
from VAD.base import VoiceDetector

STOP_S = 60.0


Server = TypeVar("Server", bound=Connection)


class ScriptedConnection(Generic[Server]):
    """Run any connection until the block ends; `connect` creates it with the request that stops it. With
    `s2s`, that engine answers in place of the cascade."""

    def __init__(
        self,
        connect: Callable[[StopRequest], Server],
        vad: VoiceDetector | None = None,
        s2s: SpeechResponder | None = None,
        check_sound: bool = False,
    ) -> None:
        self.stt, self.llm = ScriptedRecognizer(), ScriptedModel()
        self.tts = ScriptedSynthesizer()
        self.sessions: list[Session] = []
        self.chats: list[Chat] = []
        self.clock: Clock | None = None
        """The clock of the sessions that begin; None: live time."""
        self.upgrades: Upgrades | None = None
        """Set before the block begins to serve offers."""
        self._stop = StopRequest()
        self._server = connect(self._stop)
        shared_stt: SharedEngine[Recognizer] = SharedEngine(self.stt)
        shared_llm: SharedEngine[ChatModel] = SharedEngine(self.llm)
        shared_tts: SharedEngine[Synthesizer] = SharedEngine(self.tts)
        voice: Voice = Cascade(shared_stt, shared_llm, shared_tts, self._new_chat)
        if s2s is not None:
            voice = Responder(SharedEngine(s2s), self._new_chat)
        self._engines = Engines(
            vad or LoudnessDetector(),
            EndpointerSettings(min_silence_ms=192, min_speech_ms=64, speculate=False),
            voice,
            check_sound=check_sound,  # scripted engines speak constants
        )

    def __enter__(self) -> Self:
        serve = self._server.run
        self._thread = threading.Thread(
            target=serve, args=(self._open_session, self._engines.capabilities, self.upgrades)
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for engine in (self.stt, self.llm, self.tts):
            engine.hold.open()
        self.stop()

    def stop(self) -> None:
        """Stop the server as Ctrl-C does."""
        self._stop.make()
        self._thread.join(STOP_S)
        assert not self._thread.is_alive()

    def _new_chat(self) -> Chat:
        self.chats.append(Chat())
        return self.chats[-1]

    def _open_session(self, sink: Sink, label: str, clock: Clock | None = None) -> Session:
        self.sessions.append(build_pipeline(self._engines, sink, clock=clock or self.clock))
        return self.sessions[-1]


class ScriptedServer(ScriptedConnection[SocketServer]):
    """The TCP server, on two free ports of the loopback address."""

    def __init__(self, *, s2s: SpeechResponder | None = None, **flags: Any) -> None:
        arguments = SocketArguments(recv_port=0, send_port=0, **flags)
        super().__init__(lambda stop: SocketServer(arguments, stop), s2s=s2s)
        self.microphone_port, self.loudspeaker_port = self._server.ports
        self._server.open()


class ScriptedWebServer(ScriptedConnection[WebSocketServer]):
    """The page and the WebSocket, on a free port of the loopback address, or on `port`."""

    def __init__(
        self,
        *,
        port: int = 0,
        vad: VoiceDetector | None = None,
        s2s: SpeechResponder | None = None,
        check_sound: bool = False,
        **flags: Any,
    ) -> None:
        arguments = WebSocketArguments(port=port, **flags)
        super().__init__(lambda stop: WebSocketServer(arguments, stop), vad, s2s, check_sound)
        self.port = self._server.port
