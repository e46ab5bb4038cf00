"""Events: reports of a session to its listeners, named in the past tense. Emitting one never waits."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline.latency import Latency, Step
from pipeline.words import well_formed


@dataclass(frozen=True, slots=True)
class InputLevel:
    """Loudness of the microphone: root mean square of the last 100 ms or so, 0 to 1."""

    rms: float


@dataclass(frozen=True, slots=True)
class OutputLevel:
    """Loudness of the frame of the reply that has just been sent: root mean square, 0 to 1."""

    rms: float


@dataclass(frozen=True, slots=True)
class ListeningChanged:
    """The session began or stopped listening; in half duplex it stops while the program speaks."""

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
    """The user took back the current utterance; `sample` counts from the start of the session."""

    sample: int


@dataclass(frozen=True, slots=True)
class TalkSignalled:
    """The user began, ended or took back an utterance by hand: ``start``, ``commit`` or ``cancel``."""

    talk: str


@dataclass(frozen=True, slots=True)
class AudioLost:
    """Audio of the microphone was not processed: `samples` at the capture rate."""

    samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """The words so far of a user who is still speaking; a guess."""

    text: str
    stable_chars: int
    """Number of leading characters that will not change before the `Transcript`."""


@dataclass(frozen=True, slots=True)
class TurnPending:
    """The user paused in what seems unfinished, and the program waits for the rest, for at most
    `longest_ms` more (`pending` False: the user went on). If no more comes, the turn is committed."""

    pending: bool
    longest_ms: float


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """A turn is committed. `origin` is ``speech``, ``text``, ``program``, ``tool`` or ``duplex``."""

    turn: int
    origin: str
    answered: bool
    """True if there will be an answer; else the turn is only recognized and remembered."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of the user, final."""

    turn: int
    text: str
    language: str | None


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """The first sample of the reply was released."""

    turn: int


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The next piece of the reply begins to be heard."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class FramesLate:
    """Frames of a full-duplex reply were too late to be played, by up to `worst_ms`, and were left out.

    Emitted at the end of such an episode, and every 5 s while it lasts.
    """

    turn: int
    frames: int
    worst_ms: float


@dataclass(frozen=True, slots=True)
class ToolCallGrew:
    """The model is writing a tool call; these are the next characters of its arguments."""

    turn: int
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool call is complete; `arguments` is the JSON as the model wrote it."""

    turn: int
    call: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Ducked:
    """The reply became quieter, since the user may be speaking (`False`: as loud as before)."""

    turn: int
    ducked: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """The reply was held (`False`: it goes on)."""

    turn: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The reply was stopped for good; `heard` is the part of its text that was heard."""

    turn: int
    heard: str
    reason: str


@dataclass(frozen=True, slots=True)
class TurnDone:
    """A turn is over. `state` is ``done``, ``failed`` (an engine failed, so the answer is missing or
    incomplete), ``interrupted`` or ``dropped``."""

    turn: int
    state: str
    reason: str
    user_text: str
    heard: str
    latency: Latency
    waterfall: tuple[Step, ...]
    marks: Mapping[str, float]
    """Time of each step, in seconds on the session's clock."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Something failed in this session. `text` is for the user, `code` for programs."""

    stage: str
    code: str
    text: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class NoticeGiven:
    """The conversation goes on, but not as was asked for: another language, another engine.

    `text` is for the user, `code` for programs.
    """

    stage: str
    code: str
    text: str
    turn: int


@dataclass(frozen=True, slots=True)
class ModelAway:
    """The server that hears and answers is away, and is called again and again (`False`: it is back)."""

    away: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last event of a session."""

    reason: str


Event: TypeAlias = (
    InputLevel
    | OutputLevel
    | ListeningChanged
    | SpeechStarted
    | SpeechEnded
    | SpeechCancelled
    | TalkSignalled
    | AudioLost
    | PartialTranscript
    | TurnPending
    | TurnCommitted
    | Transcript
    | ReplyStarted
    | ReplyText
    | FramesLate
    | ToolCallGrew
    | ToolCalled
    | Ducked
    | Paused
    | Interrupted
    | TurnDone
    | ErrorEvent
    | NoticeGiven
    | ModelAway
    | SessionEnded
)

LIVE: tuple[type, ...] = (InputLevel, OutputLevel, PartialTranscript)
"""Events that are made only if a listener asks for them, since they cost. Only the latest of each kind
matters: it replaces one that was not fetched yet."""


def as_json(event: Event) -> dict[str, Any]:
    """Convert an event to plain data: its name under "event", then its fields."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}


def with_valid_text(event: Event) -> Event:
    """The event with valid Unicode in its texts, as every encoding and every client requires."""
    texts = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    changes = {
        name: whole
        for name, text in texts.items()
        if isinstance(text, str) and not text.isascii() and (whole := well_formed(text)) != text
    }
    return dataclasses.replace(event, **changes) if changes else event  # type: ignore[arg-type]
