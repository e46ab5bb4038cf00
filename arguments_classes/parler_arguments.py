"""ParlerArguments: flags of --tts parler."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect


@dataclass
class ParlerArguments:
    """Parler-TTS: a voice as you describe it. Its models are on the Hugging Face hub."""

    _argument_group_name: ClassVar[str] = "--tts parler"

    tts_model_name: str = field(
        default="parler-tts/parler-mini-v1-jenny",
        metadata={
            "help": "a name on the hub, or a folder: parler-tts/parler-tts-mini-v1 has 34 voices, "
            "ai4bharat/indic-parler-tts speaks 18 languages of India"
        },
    )
    tts_device: str | None = field(
        default=None, metadata={"help": "cuda, mps or cpu; by default as --device says"}
    )
    tts_torch_dtype: Literal["auto", "float32", "float16", "bfloat16"] = field(
        default="auto", metadata={"help": "precision of the weights; auto: as they were saved"}
    )
    tts_voice: str | None = field(
        default=None,
        metadata={
            "help": "a speaker whom the model knows by name, or a description that begins with one; by "
            "default by language"
        },
    )
    tts_language: str | None = field(
        default=None,
        metadata={"help": "language where the recognizer does not say one, such as te"},
    )
    tts_style: str = field(
        default="{voice} speaks at a slightly slow pace with an animated delivery "
        "with clear audio quality.",
        metadata={"help": "how it is said, in English; {voice} stands for the name of the speaker"},
    )
    tts_play_steps_s: float = field(
        default=1.0,
        metadata={"help": "seconds of audio in a piece; less is heard sooner and costs more"},
    )
    tts_compile_mode: Literal["none", "default", "reduce-overhead"] = field(
        default="none",
        metadata={"help": "compile it at start, which takes minutes, to be 1.4 or 3 to 4 times as fast"},
    )
    tts_gen_do_sample: bool = field(
        default=True, metadata={"help": "choose by chance, as the models were made for"}
    )
    tts_gen_temperature: float = field(
        default=1.0, metadata={"help": "how freely, with tts_gen_do_sample"}
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
