"""Events: what a session tells the world. Reports are in the past tense; nobody is waited for."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline.latency import Latency, Step


@dataclass(frozen=True, slots=True)
class InputLevel:
    """How loud the microphone is: root mean square of the last 100 ms or so, 0 to 1."""

    rms: float


@dataclass(frozen=True, slots=True)
class ListeningChanged:
    """Whether what the microphone hears is taken (half duplex: not while the program speaks)."""

    listening: bool


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The user began to speak; `sample` counts from the start of the session."""

    sample: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The user stopped; `speech_end_sample` is the end of the last voiced window."""

    speech_end_sample: int


@dataclass(frozen=True, slots=True)
class SpeechCancelled:
    """What the user was saying was taken back; `sample` counts from the start of the session."""

    sample: int


@dataclass(frozen=True, slots=True)
class TalkSignalled:
    """The user began, ended or took back what they say, by hand: ``start``, ``commit``, ``cancel``."""

    talk: str


@dataclass(frozen=True, slots=True)
class AudioLost:
    """Audio of the microphone that was not processed, in samples at the capture rate."""

    samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """What the user, who is still speaking, seems to be saying."""

    text: str
    stable_chars: int
    """So many characters of it will not change before the `Transcript`."""


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """A turn counts. `origin` is ``speech``, ``text``, ``program`` or ``tool``."""

    turn: int
    origin: str
    answered: bool
    """Whether there will be an answer; else it is understood and remembered."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the user said."""

    turn: int
    text: str
    language: str | None


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The first sample of the answer was released."""

    turn: int


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The next piece of the answer begins to be heard."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallGrew:
    """The model asks for a function; these are the next characters of its arguments."""

    turn: int
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """It has asked: the arguments, in JSON as the model wrote them, are complete."""

    turn: int
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Ducked:
    """The answer became quieter, since the user may be speaking (`False`: it is back)."""

    turn: int
    ducked: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """The answer was held (`False`: it goes on)."""

    turn: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The answer was stopped for good; `heard` is what was heard of it until then."""

    turn: int
    heard: str
    reason: str


@dataclass(frozen=True, slots=True)
class TurnDone:
    """A turn is over. `state` is ``done``, ``interrupted`` or ``dropped``."""

    turn: int
    state: str
    reason: str
    user_text: str
    heard: str
    latency: Latency
    waterfall: tuple[Step, ...]
    marks: Mapping[str, float]
    """When each thing happened, in seconds on the session's clock."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Something failed in this session. `text` is for people, `code` for programs."""

    stage: str
    code: str
    text: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class NoticeGiven:
    """Something is done otherwise than was asked for, and the conversation goes on: another language,
    another engine. `text` is for people, `code` for programs."""

    stage: str
    code: str
    text: str
    turn: int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last event of a session."""

    reason: str


Event: TypeAlias = (
    InputLevel
    | ListeningChanged
    | SpeechStarted
    | SpeechEnded
    | SpeechCancelled
    | TalkSignalled
    | AudioLost
    | PartialTranscript
    | TurnCommitted
    | Transcript
    | ReplyStarted
    | ReplyText
    | ToolCallGrew
    | ToolCalled
    | Ducked
    | Paused
    | Interrupted
    | TurnDone
    | ErrorEvent
    | NoticeGiven
    | SessionEnded
)

LIVE: tuple[type, ...] = (InputLevel, PartialTranscript)
"""Made only for those who ask, since they cost. Of each only the latest matters: a newer one replaces
one that was not fetched yet."""


def as_json(event: Event) -> dict[str, Any]:
    """An event as plain data: its name under "event", then its fields."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}
