"""Description: the engines of the program, for people who use it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_TITLES = {
    "chattts": "ChatTTS", "espeak": "eSpeak", "faster-whisper": "Whisper", "kitten": "KittenTTS",
    "kokoro-torch": "Kokoro", "llama-cpp": "llama.cpp", "melo": "MeloTTS", "mlx-lm": "MLX",
    "mlx-whisper": "Whisper", "mms": "MMS", "openai": "", "openai-audio": "", "openai-responses": "",
    "pocket": "Pocket TTS", "pocketsphinx": "PocketSphinx", "qwen-omni": "",
    "realtime": "", "smollm2": "SmolLM2", "speecht5": "SpeechT5", "transformers": "",
}  # fmt: skip
"""Names that are not those of the catalog with a capital letter; none where the model says it all."""


@dataclass(frozen=True, slots=True)
class Part:
    """One engine. Of several that take over from each other, each is a part."""

    stage: str
    """``vad``, ``stt``, ``llm``, ``tts`` or ``s2s``."""
    name: str
    about: str
    model: str | None
    """The name of its model; None: it has only one."""
    languages: tuple[str, ...]
    """ISO 639-1 codes; ("*",): every language; empty: unknown."""
    placeholder: bool
    """True if a newcomer should replace it soon."""
    host: str | None
    """The other machine to which it sends what it gets; None: it stays on this one."""
    device: str = "cpu"
    """The device that computes; empty: a server computes."""

    @property
    def title(self) -> str:
        """The proper name, with that of its model: Moonshine tiny-en."""
        name = _TITLES.get(self.name, self.name.capitalize())
        model = (self.model or "").rpartition("/")[2]
        if model.lower().startswith(name.lower()):
            name = ""
        return f"{name} {model}".strip() or self.name


@dataclass(frozen=True, slots=True)
class NamedVoice:
    """One of the voices from which a user may choose."""

    name: str
    language: str | None
    """ISO 639-1 code, or 639-3 where there is none; None: unknown."""


@dataclass(frozen=True, slots=True)
class Description:
    """Everything that a face of the program tells about its engines."""

    parts: tuple[Part, ...] = ()
    voices: tuple[NamedVoice, ...] = ()
    voice: str | None = None
    """The voice that speaks if none is chosen; None: unknown."""
    languages: tuple[str, ...] = ()
    """Codes of the languages in which one can talk with the program."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Stage ▶ what the operator can do for a better engine."""

    @property
    def private(self) -> bool:
        """True if nothing that is said leaves this machine."""
        return all(part.host is None for part in self.parts)
