"""ParlerArguments: flags of --tts parler."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from arguments_classes.synthesizer_flags import OptionalLanguage, SynthesizerDevice, SynthesizerPrecision


@dataclass
class ParlerArguments(SynthesizerPrecision, SynthesizerDevice, OptionalLanguage):
    """Parler-TTS: a voice described in words. Its models are on the Hugging Face hub."""

    _argument_group_name: ClassVar[str] = "--tts parler"

    tts_model_name: str = field(
        default="parler-tts/parler-mini-v1-jenny",
        metadata={
            "help": "model on the hub, such as ai4bharat/indic-parler-tts (18 languages of India), or a "
            "folder"
        },
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "a speaker that the model knows, or a description that begins with one; default: "
            "one for the language"
        },
    )
    tts_style: str = field(
        default="{voice} speaks at a slightly slow pace with an animated delivery "
        "with clear audio quality.",
        metadata={"help": "manner of speaking, in English; {voice} stands for the speaker's name"},
    )
    tts_play_steps_s: float = field(
        default=1.0,
        metadata={"help": "seconds of audio in a piece; shorter pieces start sooner and cost more"},
    )
    tts_compile_mode: Literal["none", "default", "reduce-overhead"] = field(
        default="none",
        metadata={
            "help": "mode of torch.compile: starts take minutes, and speech comes up to four times as "
            "fast"
        },
    )
    tts_gen_do_sample: bool = field(
        default=True, metadata={"help": "sample at random, for which the models were trained"}
    )
    tts_gen_temperature: float = field(
        default=1.0, metadata={"help": "randomness, if --tts_gen_do_sample is on"}
    )
    tts_gen_min_new_tokens: int = field(
        default=10, metadata={"help": "shortest part of a sentence, in steps of 12 ms; at least 10"}
    )
    tts_gen_max_new_tokens: int = field(
        default=2580, metadata={"help": "longest part of a sentence, in steps of 12 ms"}
    )

    def __post_init__(self) -> None:
        expect(0 < self.tts_play_steps_s <= 30, "tts_play_steps_s", "0 to 30 s", self.tts_play_steps_s)
        least, most = self.tts_gen_min_new_tokens, self.tts_gen_max_new_tokens
        expect(least >= 10, "tts_gen_min_new_tokens", "at least 10 steps", least)
        expect(most >= least, "tts_gen_max_new_tokens", f"at least {least} steps", most)
