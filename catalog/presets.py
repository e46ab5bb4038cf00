"""Presets: named sets of engines, models and devices. Any other flag or setting overrides them."""

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set: engines by stage, flags of these engines (`settings`), and the flag `device`."""

    about: str
    size: str
    """Disk space of its models, according to their model cards."""
    engines: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None

    def without(self, stages: Collection[str]) -> "Preset":
        """The preset without the engines of these stages and without their flags."""
        dropped = tuple(f"{stage}_" for stage in stages)
        return replace(
            self,
            engines={stage: name for stage, name in self.engines.items() if stage not in stages},
            settings={name: v for name, v in self.settings.items() if not name.startswith(dropped)},
        )

    def choices(self) -> dict[str, Any]:
        """The flags that choose parts."""
        return dict(self.engines) | ({"device": self.device} if self.device else {})

    def settings_for(self, chosen: Mapping[str, str | None]) -> dict[str, Any]:
        """The flags of its engines, without those of an engine that the user replaced."""
        kept = tuple(f"{stage}_" for stage, name in self.engines.items() if chosen.get(stage) == name)
        return {name: value for name, value in self.settings.items() if name.startswith(kept)}

    def described(self) -> str:
        """One sentence for --help."""
        return f"This preset ({self.about}; {self.size}) sets: {self.flags()}"

    def flags(self) -> str:
        """Everything that it sets, as it would be typed."""
        everything = self.choices() | dict(self.settings)
        return " ".join(f"--{name} {value}" for name, value in everything.items())


PRESETS: dict[str, Preset] = {
    "offline": Preset(
        "built-in models, no network needed",
        "nothing to download",
        {"stt": "moonshine", "llm": "smollm2", "tts": "piper"},
        {"stt_model_name": "tiny-en"},
    ),
    "cpu": Preset(
        "small models, fast enough on a CPU",
        "about 1.5 GB",
        {"stt": "faster-whisper", "llm": "llama-cpp", "tts": "pocket"},
        {"stt_model_name": "Systran/faster-whisper-small"},
        device="cpu",
    ),
    "cuda": Preset(
        "large models, for an NVIDIA card with 16 GB",
        "about 10 GB",
        {"stt": "whisper", "llm": "transformers", "tts": "kokoro-torch"},
        {
            "stt_model_name": "openai/whisper-large-v3-turbo",
            "llm_model_name": "Qwen/Qwen3-4B-Instruct-2507",
        },
        device="cuda",
    ),
    "mac": Preset(
        "models for Apple silicon, through MLX",
        "about 4.5 GB",
        {"stt": "mlx-whisper", "llm": "mlx-lm", "tts": "kokoro-torch"},
        {
            "stt_model_name": "mlx-community/whisper-large-v3-turbo",
            "llm_model_name": "mlx-community/Qwen3-4B-Instruct-2507-4bit",
        },
        device="mps",
    ),
    "duplex": Preset(
        "a full-duplex model, which listens while it speaks, for an NVIDIA card with 24 GB",
        "about 16 GB",
        {"s2s": "moshi"},
        device="cuda",
    ),
    "classic": Preset(
        "the models that pipelines of this kind started with",
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
    """Find a preset by name; `mac`: --local_mac_optimal_settings was given. Raises `UserError`."""
    if mac and name not in (None, "mac"):
        raise UserError(f"--local_mac_optimal_settings: expected no preset but mac, got {name}")
    if mac or name is not None:
        try:
            return PRESETS["mac" if name is None else name]
        except KeyError:
            near = difflib.get_close_matches(str(name).lower(), PRESETS, n=1)
            meant = f"; did you mean --preset {near[0]}?" if near else ""
            raise UserError(
                f"--preset: expected one of {', '.join(PRESETS)}, got {name!r}{meant}"
            ) from None
    return None
