"""Messages between the stages. Audio is mono float32 in [-1, 1] with its rate beside it."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.turn import Turn

Samples: TypeAlias = NDArray[np.float32]
"""Mono audio, shape (samples,), values in [-1, 1]."""


COMPLETE = "complete"
"""Reason of an `EndOfTurn` after a reply that is complete."""

SPOKEN = "(spoken)"
"""Stands for the user's words if there is no recognizer."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Speech of the user, for a language model that takes audio."""

    samples: Samples
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a function of the client, as the model asks for it."""

    id: str
    name: str
    arguments: str
    """A JSON object once the call is complete; in a piece, its next characters."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation. Roles are those of chat templates: system, user, assistant, and
    tool for the result of a function."""

    role: str
    content: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    """Id of the call that this message is the result of."""
    audio: Recording | None = None
    """Speech that no model has heard yet; only the newest message of a conversation has it."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Intake ▶ VAD: one window of the microphone's audio."""

    samples: Samples
    start_sample: int
    """Position of the first sample since the session began; a jump means that audio was left out."""
    captured_at: float
    """Capture time of the first sample, in seconds of the session's clock."""
    turn: None = None


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """SharedVAD ▶ VAD: a window, and how likely it holds speech."""

    block: AudioBlock
    speech_probability: float | None
    """0 to 1; None while the session does not listen, as with push to talk before the key is pressed."""
    turn: None = None


class ManualTurn(Enum):
    """The user's signal for a turn, given with a key or in a message of the client."""

    START = "start"
    COMMIT = "commit"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class ManualTurnSignal:
    """Intake ▶ VAD: a signal from the user, in line with the audio to mark its place there."""

    action: ManualTurn
    at_sample: int
    turn: None = None


@dataclass(frozen=True, slots=True)
class VoiceBlock:
    """VAD ▶ S2S: a block of the current speech, for engines that answer at once."""

    turn: Turn
    samples: Samples
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """VAD ▶ STT, or VAD ▶ S2S: one utterance of the user."""

    turn: Turn
    samples: Samples
    sample_rate_hz: int
    spoken_ms: float = 0.0
    """Time from the first to the last voiced window."""
    overlaps: bool = False
    """True if it was said over a reply, or while one is awaited, and has yet to be judged; its turn is
    tentative."""
    may_be_noise: bool = False
    """True if nobody but the voice detector says that it was meant for the program."""
    earlier: Turn | None = None
    """Turn whose answer is awaited; this utterance may be its continuation."""
    earlier_samples: int = 0
    """Samples at the beginning that belong to the earlier turn."""

    @property
    def stretch(self) -> Samples:
        """The speech that is to be judged: all but that of the earlier turn."""
        return self.samples[self.earlier_samples :]


@dataclass(frozen=True, slots=True)
class UserText:
    """STT ▶ LLM: the words of the user, spoken or typed; empty: answer the conversation as it is."""

    turn: Turn
    text: str
    context: tuple[ChatMessage, ...] | None = None
    """Conversation to answer; None: that of the session."""
    audio: Recording | None = None
    """Speech without a transcript."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """LLM ▶ TTS: the next piece of the reply."""

    turn: Turn
    text: str
    """Text as written and remembered."""
    spoken: str
    """Text to read aloud: no markup, no emoji."""


@dataclass(frozen=True, slots=True)
class WordTime:
    """Start of a word in a piece of audio."""

    chars: int
    """Characters of the spoken text before the word."""
    sample: int
    """First sample of the word, in that piece of audio."""


@dataclass(frozen=True, slots=True)
class Notice:
    """From an engine, among its results: it does not work as was asked for. The client is told once.

    `text` is for the user, `code` for programs.
    """

    code: str
    text: str
    over: bool = False
    """Cancels the earlier notice with this `code`. Ignored if none was given."""


MAX_OUTPUT_TOKENS, CONTENT_FILTER = "max_output_tokens", "content_filter"
"""Reasons why a language model stops in mid-answer, in the words of the Realtime protocol."""

INVALID_CALL = "invalid_call"
"""Reason why an answer counts as unfinished: the arguments of a function call are not a JSON
object."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """The last output of a language model whose answer ends here without being finished."""

    reason: str
    """`MAX_OUTPUT_TOKENS`, `CONTENT_FILTER` or `INVALID_CALL`."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Mono float32 in [-1, 1] with its rate."""

    samples: Samples
    sample_rate_hz: int
    words: tuple[WordTime, ...] = ()
    """Start of each word, if the synthesizer reports it; else the words heard are estimated."""

    def cut(self, begin: int, end: int) -> "AudioChunk":
        """The samples from `begin` to `end`; a word that began earlier begins at the first."""
        words = tuple(replace(word, sample=max(word.sample - begin, 0)) for word in self.words)
        return replace(self, samples=self.samples[begin:end], words=words)


@dataclass(frozen=True, slots=True)
class Speech:
    """TTS ▶ playout: a piece of audio of the reply."""

    turn: Turn
    samples: Samples
    sample_rate_hz: int
    text: str | None = None
    """Text that begins with this audio; None: the audio continues the last text."""
    ends_text: bool = False
    """True if this piece completes the text."""
    words: tuple[WordTime, ...] = ()
    spoken_chars: int = 0
    """Length of the text as spoken, in characters; `words` count by it."""
    due_at: float | None = None
    """Time at which its first sample is due, on the session's clock; None: right after the audio before
    it."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """Follows the last message of a turn down the line. `reason` is for the user and the log, or that
    of a `CutOff`."""

    turn: Turn
    reason: str
