"""Presets: named sets of engines, models and devices. Flags override them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import UserError

STAGES = ("stt", "llm", "tts")


@dataclass(frozen=True, slots=True)
class Preset:
    """`engines` by stage; `settings` are flags of the engines, `device` is the flag of that name."""

    about: str
    size: str
    """Size of its models on disk, from their cards."""
    engines: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None

    def choices(self) -> dict[str, Any]:
        """The flags that choose parts."""
        return dict(self.engines) | ({"device": self.device} if self.device else {})

    def settings_for(self, chosen: Mapping[str, str | None]) -> dict[str, Any]:
        """The flags of its engines, less those of engines that were not chosen after all."""
        kept = tuple(f"{stage}_" for stage, name in self.engines.items() if chosen.get(stage) == name)
        return {name: value for name, value in self.settings.items() if name.startswith(kept)}

    def described(self) -> str:
        """For --help beside it."""
        return f"This preset, {self.about} ({self.size}), sets: {self.flags()}"

    def flags(self) -> str:
        """Its settings, as they would be typed."""
        everything = self.choices() | dict(self.settings)
        return " ".join(f"--{name} {value}" for name, value in everything.items())


PRESETS: dict[str, Preset] = {
    "offline": Preset(
        "built in; no network is asked for anything",
        "nothing to download",
        {"stt": "moonshine", "llm": "eliza", "tts": "espeak"},
        {"stt_model_name": "tiny-en"},
    ),
    "cpu": Preset(
        "small models that keep up on a processor",
        "about 1.5 GB",
        {"stt": "faster-whisper", "llm": "llama-cpp", "tts": "pocket"},
        {"stt_model_name": "Systran/faster-whisper-small"},
        device="cpu",
    ),
    "cuda": Preset(
        "large models on an NVIDIA card of 16 GB",
        "about 10 GB",
        {"stt": "whisper", "llm": "transformers", "tts": "kokoro"},
        {
            "stt_model_name": "openai/whisper-large-v3-turbo",
            "llm_model_name": "Qwen/Qwen3-4B-Instruct-2507",
        },
        device="cuda",
    ),
    "mac": Preset(
        "Apple silicon, through MLX",
        "about 4.5 GB",
        {"stt": "mlx-whisper", "llm": "mlx-lm", "tts": "kokoro"},
        {
            "stt_model_name": "mlx-community/whisper-large-v3-turbo",
            "llm_model_name": "mlx-community/Qwen3-4B-Instruct-2507-4bit",
        },
        device="mps",
    ),
    "classic": Preset(
        "the models with which cascades of this kind began",
        "about 13 GB",
        {"stt": "whisper", "llm": "transformers", "tts": "parler"},
        {
            "stt_model_name": "distil-whisper/distil-large-v3",
            "llm_model_name": "microsoft/Phi-3-mini-4k-instruct",
            "tts_model_name": "parler-tts/parler-mini-v1-jenny",
        },
    ),
}


def find_preset(name: str | None, *, mac: bool) -> Preset | None:
    """The preset of this name; `mac`: --local_mac_optimal_settings was given. Raises `UserError`."""
    if mac and name not in (None, "mac"):
        raise UserError(f"--local_mac_optimal_settings is --preset mac; expected no other, got {name}")
    if mac or name is not None:
        try:
            return PRESETS["mac" if name is None else name]
        except KeyError:
            raise UserError(f"--preset: expected one of {', '.join(PRESETS)}, got {name!r}") from None
    return None


def preset_list() -> str:
    """For --help."""
    return "; ".join(f"{name}: {preset.about} ({preset.size})" for name, preset in PRESETS.items())
