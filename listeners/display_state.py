"""Display state: the word that tells the user whose turn it is. web/state.js has the same rules."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.capabilities import Capabilities
from pipeline.events import (
    ErrorEvent,
    Event,
    ModelAway,
    Paused,
    ReplyStarted,
    SpeechCancelled,
    SpeechEnded,
    SpeechStarted,
    TalkSignalled,
    TurnCommitted,
    TurnDone,
    TurnPending,
)
from pipeline.turn import Origin

Connection: TypeAlias = Literal["off", "connecting", "open", "lost"]
Microphone: TypeAlias = Literal["off", "on", "muted", "push"]
User: TypeAlias = Literal["silent", "speaking", "pausing", "finished"]
Reply: TypeAlias = Literal["none", "speaking", "held"]
State: TypeAlias = Literal[
    "off", "connecting", "offline", "hearing", "waiting", "speaking", "thinking", "muted", "ready",
    "listening",
]  # fmt: skip

_UNCONNECTED: dict[Connection, State] = {"off": "off", "connecting": "connecting", "lost": "offline"}
_IDLE: dict[Microphone, State] = {
    "off": "off", "on": "listening", "muted": "muted", "push": "ready"
}  # fmt: skip


def display(connection: Connection, microphone: Microphone, user: User, reply: Reply) -> State:
    """The state to show. A user who speaks comes before a reply that is heard."""
    if connection != "open":
        return _UNCONNECTED[connection]
    if user == "speaking":
        return "hearing"
    if user == "pausing":
        return "waiting"
    if reply == "speaking":
        return "speaking"
    if reply == "held":
        return "waiting"
    return "thinking" if user == "finished" else _IDLE[microphone]


@dataclass
class DisplayState:
    """Follows the events of a session. A full-duplex model tells only by its loudness whether it speaks,
    so its listener sets `reply` itself."""

    capabilities: Capabilities
    microphone: Microphone = "on"
    connection: Connection = "open"
    user: User = "silent"
    reply: Reply = "none"
    _model_away: bool = False
    _replying: int = 0
    _newest: int = 0
    """The latest turn that was reported."""
    _before: int = 0
    """The latest turn before the user's last words: its end says nothing about them."""

    @property
    def name(self) -> State:
        """The state to show now."""
        connection = "lost" if self._model_away and self.connection == "open" else self.connection
        return display(connection, self.microphone, self.user, self.reply)

    @property
    def user_speaks(self) -> bool:
        """True from the user's first word to the end of the utterance."""
        return self.user in ("speaking", "pausing")

    def follow(self, event: Event) -> None:
        """Take the next event."""
        self._newest = max(self._newest, getattr(event, "turn", None) or 0)
        match event:
            case SpeechStarted() | TalkSignalled(talk="start"):
                self.user, self._before = "speaking", self._newest
            case TurnPending(pending=pending) if self.user_speaks:
                self.user = "pausing" if pending else "speaking"
            case SpeechCancelled() | TalkSignalled(talk="cancel") | ErrorEvent(code="nothing_said"):
                self.user = "silent"
            case TalkSignalled(talk="commit") if self.capabilities.duplex:
                self.user = "silent"
            case SpeechEnded() | TalkSignalled(talk="commit"):
                self.user = "finished"
            case ModelAway(away=away):
                self._model_away = away
            case TurnCommitted(turn=turn, origin=origin) if Origin(origin).is_user:
                if not self.user_speaks:
                    self.user, self._before = "finished", turn - 1
            case _:
                self._follow_reply(event)

    def _follow_reply(self, event: Event) -> None:
        if self.capabilities.duplex:
            return
        match event:
            case ReplyStarted(turn=turn):
                self._replying, self.reply = turn, "speaking"
                if turn > self._before and not self.user_speaks:
                    self.user = "silent"
            case Paused(turn=turn, paused=paused) if turn == self._replying:
                self.reply = "held" if paused else "speaking"
            case TurnDone(turn=turn):
                if turn == self._replying:
                    self.reply = "none"
                if turn > self._before and self.user == "finished":
                    self.user = "silent"
