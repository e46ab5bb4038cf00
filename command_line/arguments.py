"""Arguments: everything that the command line and the JSON file settle."""

from dataclasses import dataclass, field
from typing import Any

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.failover_arguments import FailoverArguments
from arguments_classes.file_arguments import FileArguments
from arguments_classes.local_arguments import LocalArguments
from arguments_classes.module_arguments import ModuleArguments
from arguments_classes.socket_arguments import SocketArguments
from arguments_classes.vad_arguments import VADArguments
from arguments_classes.websocket_arguments import WebSocketArguments
from catalog.people import people_of
from command_line.chosen import ChosenEngine
from command_line.config_file import ConfigFile
from pipeline.settings import SessionSettings

MODES = {
    "socket": SocketArguments,
    "websocket": WebSocketArguments,
    "realtime": WebSocketArguments,
    "local": LocalArguments,
    "file": FileArguments,
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """The whole configuration of one run."""

    module: ModuleArguments
    vad: VADArguments
    chat: ChatArguments
    mode: SocketArguments | WebSocketArguments | LocalArguments | FileArguments
    engines: dict[str, tuple[ChosenEngine, ...]]
    """The engines of each stage: the next one takes over from one that fails. "llm" is missing if a
    language model still has to be found."""
    auto: dict[str, Any]
    """Settings for the language model that will be found."""
    failover: FailoverArguments
    file: ConfigFile = field(default_factory=ConfigFile)
    """The JSON file that some of this comes from, to name it in errors."""

    def session_settings(self) -> SessionSettings:
        """The settings with which each conversation begins."""
        by_hand = isinstance(self.mode, LocalArguments) and self.mode.push_to_talk
        streams = self.module.reply_mode == "stream"
        return SessionSettings(
            language=self.module.language or self._language_of_the_voice(),
            hands_free=not by_hand,
            reply_mode="stream" if streams else "turn",
        )

    def _language_of_the_voice(self) -> str | None:
        for synthesizer in self.engines.get("tts", ())[:1]:
            person = people_of(synthesizer.spec.name).get(synthesizer.settings.get("voice") or "")
            return None if person is None else person.language
        return None

    def own_ports(self) -> tuple[int, ...]:
        """The ports on which this program itself will listen."""
        match self.mode:
            case SocketArguments(recv_port=microphone, send_port=loudspeaker):
                return microphone, loudspeaker
            case WebSocketArguments(port=port):
                return (port,)
        return ()
