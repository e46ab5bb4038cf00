"""EngineInfo: the description of an engine, in one value. A wrapper replaces fields of it; an engine in
a process of its own sends it as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.language import ANY


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The fields that every engine has."""

    name: str
    slots: int = 1
    """The number of calls that may run at once."""
    model: str | None = None
    """The name of the model, or the path of its files; None: the engine has only one."""
    device: str = "cpu"
    """The device that computes, followed by what else decides how fast it does, as in "cuda, float16";
    empty: a server computes."""
    host: str | None = None
    """The other machine to which the engine sends what it gets; None: it stays on this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerInfo(EngineInfo):
    """Speech to text."""

    sample_rate_hz: int
    """The rate of the audio that it takes."""
    languages: tuple[str, ...]
    """ISO 639-1 codes; ("any",): every language."""
    writes: bool = True
    """False: it recognizes no words; the language model hears the audio itself."""
    chunk_samples: int = 0
    """Samples that a `StreamingRecognizer` computes at a time; it keeps a shorter rest for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModelInfo(EngineInfo):
    """A language model."""

    languages: tuple[str, ...] = (ANY,)
    """Languages in which it can answer, as ISO 639-1 codes; ("any",): those of its model, or all."""
    takes_tools: bool = False
    """True if it can call functions; a model that cannot is given none."""
    max_sentences: int | None = None
    """Number of sentences after which an answer is cut off; None: no limit."""
    keeps_thoughts: bool = False
    """True if an answer is spoken as written, including text that otherwise counts as thoughts, calls or
    end-of-turn marks."""
    hears: bool = False
    """True if it takes the audio of a message (`--stt none`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizerInfo(EngineInfo):
    """Text to speech."""

    sample_rate_hz: int
    """The rate of the audio that it generates."""
    languages: tuple[str, ...]
    """ISO 639-1 codes, or 639-3 where there is none; ("any",): every language."""
    voices: tuple[str, ...] = ()
    """The names from which a user may choose; empty: there is one voice."""
    voice: str | None = None
    """The one that speaks if none is chosen; None: unknown."""
    voice_languages: Mapping[str, str] = field(default_factory=dict)
    """Voice ▶ the code of its language, where the engine knows it."""
    mixes: bool = False
    """True if one call can mix the scripts of all its languages."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Language ▶ the one of its scripts that the engine spells instead of reading."""
    reads_written_forms: bool = False
    """True if it was trained to read "$49.95" and "8:00"; False: it gets them in words."""

    def language_of(self, voice: str | None, language: str | None) -> str | None:
        """The language that it speaks in a call: that of the voice, else the requested one, else its
        only one; None if unknown. A voice of eSpeak may have a variant ("en-gb+f3")."""
        named = self.voice_languages.get((voice or "").partition("+")[0])
        only = self.languages[0] if len(self.languages) == 1 and self.languages[0] != ANY else None
        return named or language or only


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderInfo(EngineInfo):
    """An end-to-end engine that answers turn by turn."""

    sample_rate_hz: int
    """Sample rate of its input, and of its output if it answers frame by frame."""
    languages: tuple[str, ...] = (ANY,)
    """Languages in which it can answer, as ISO 639-1 codes; ("any",): every language."""
    voices: tuple[str, ...] = ()
    """The names from which a user may choose; empty: there is one voice."""
    takes_text: bool = False
    """True if it can answer typed text."""
    takes_tools: bool = False
    """True if it can call functions; a model that cannot is given none."""
    frame_samples: int = 0
    """The length of a frame of a `FrameResponder`."""
    overlap_samples: int = 0
    """The part of a frame that repeats the end of the frame before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplexInfo(EngineInfo):
    """A full-duplex model. `slots` is the number of conversations at once."""

    sample_rate_hz: int
    """The rate of the audio that it takes, and of the audio that it makes."""
    frame_samples: int
    """The length of a frame, in both directions."""
    voices: tuple[str, ...] = ()
    """The names from which a user may choose; empty: there is one voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInfo(EngineInfo):
    """A server that hears the user and detects the turns itself."""

    sample_rate_hz: int
    """The rate of the audio that it takes, and of the audio that it makes."""
    frame_samples: int
    """Length of the windows of audio that it is sent."""
    voices: tuple[str, ...] = ()
    """The names from which a user may choose; empty: they are unknown."""
