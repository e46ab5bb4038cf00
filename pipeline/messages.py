"""What travels between the stages. Audio is mono float32 in [-1, 1] with its rate beside it."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.turn import Turn

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio, shape (samples,), values in [-1, 1]."""


SPOKEN = "(spoken)"
"""In the place of what the user said, where there is no recognizer."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What the user said, for a language model that hears."""

    samples: Samples
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model wants the client to call a function of theirs."""

    id: str
    name: str
    arguments: str
    """In JSON, as the model wrote them; nobody has checked them."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation. Roles as the chat template knows them: system, user, assistant,
    and tool, for what a function gave back."""

    role: str
    content: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    """The id of the call whose result this is."""
    audio: Recording | None = None
    """Where it was heard by nobody yet; only the newest of a conversation has it."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Intake ▶ VAD: one window of what the microphone heard."""

    samples: Samples
    start_sample: int
    """Position of the first sample since the session began; a jump means that something was left out."""
    captured_at: float
    """When the first sample was captured, in seconds of the session's clock."""
    turn: None = None


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """SharedVAD ▶ VAD: a window, and how likely it holds speech."""

    block: AudioBlock
    speech_probability: float | None
    """0 to 1; None while nobody listens, as with push to talk before the key is pressed."""
    turn: None = None


class ManualTurn(Enum):
    """What a user does by hand: with a key, or by a message of their client."""

    START = "start"
    COMMIT = "commit"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class ManualTurnSignal:
    """Intake ▶ VAD: in line with the audio, since it says where in it something began or ended."""

    talk: ManualTurn
    at_sample: int
    turn: None = None


@dataclass(frozen=True, slots=True)
class VoiceBlock:
    """VAD ▶ S2S: what the user is saying just now, for engines that answer at once."""

    turn: Turn
    samples: Samples
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """VAD ▶ STT, or VAD ▶ S2S: what the user said in one go."""

    turn: Turn
    samples: Samples
    sample_rate_hz: int
    spoken_ms: float = 0.0
    """From the first to the last voiced window."""
    overlaps: bool = False
    """Whether it was said over a reply, and it is open whether it is a turn; its turn is tentative."""


@dataclass(frozen=True, slots=True)
class UserText:
    """STT ▶ LLM: the words of the user, heard or typed; none: go on from what was said so far."""

    turn: Turn
    text: str
    context: tuple[ChatMessage, ...] | None = None
    """What was said so far, where it is not the conversation of the session."""
    audio: Recording | None = None
    """Of which nobody knows the words."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """LLM ▶ TTS: the next piece of the answer."""

    turn: Turn
    text: str
    """As it is written, and remembered."""
    spoken: str
    """As it is to be read aloud: no markup, no emoji."""


@dataclass(frozen=True, slots=True)
class WordTime:
    """Where in a piece of audio a word begins."""

    chars: int
    """Characters of the spoken text before the word."""
    sample: int
    """Of that piece of audio."""


@dataclass(frozen=True, slots=True)
class Notice:
    """From an engine, among its results: something is done otherwise than was asked for. The client is
    told once. `text` is for people, `code` for programs."""

    code: str
    text: str
    over: bool = False
    """Whether it takes back what was told with this code; who was told nothing is not told this."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Mono float32 in [-1, 1] with its rate."""

    samples: Samples
    sample_rate_hz: int
    words: tuple[WordTime, ...] = ()
    """When each word begins in it, where the synthesizer tells; else what was heard is estimated."""


@dataclass(frozen=True, slots=True)
class Speech:
    """TTS ▶ playout: a piece of audio of the answer."""

    turn: Turn
    samples: Samples
    sample_rate_hz: int
    text: str | None = None
    """What begins with this audio; None: it goes on with the last text."""
    ends_text: bool = False
    """Whether the text is complete with this piece."""
    words: tuple[WordTime, ...] = ()
    spoken_chars: int = 0
    """How many characters the text has as it is spoken, by which `words` count."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """Follows the last message of a turn down the line. `reason` is for people and logs."""

    turn: Turn
    reason: str
