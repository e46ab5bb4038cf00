"""MoshiArguments: flags of --s2s moshi."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.flag_texts import DEVICE, PRECISION, Precision

NAMES = {name: f"kyutai/{name}-pytorch-bf16" for name in ("moshiko", "moshika")}


@dataclass
class MoshiArguments:
    """Moshi: a full-duplex model, which listens while it speaks. Its weights are on the Hugging Face
    hub."""

    _argument_group_name: ClassVar[str] = "--s2s moshi"

    s2s_model_name: str = field(
        default="moshiko",
        metadata={
            "help": "model: moshiko (a male voice), moshika (a female one), another for the moshi "
            "package, or a folder"
        },
    )
    s2s_device: str | None = field(default=None, metadata={"help": DEVICE})
    s2s_torch_dtype: Precision = field(default="auto", metadata={"help": PRECISION})
    s2s_temperature: float | None = field(
        default=None,
        metadata={
            "help": "randomness of the voice; 0: none; default: as the model's files say, usually 0.8"
        },
    )
    s2s_text_temperature: float | None = field(
        default=None,
        metadata={
            "help": "randomness of the words; 0: none; default: as the model's files say, usually 0.7"
        },
    )
    s2s_sessions: int = field(
        default=1,
        metadata={"help": "conversations at once; each needs 1.6 GB of memory, and time on the GPU"},
    )

    def __post_init__(self) -> None:
        self.s2s_model_name = NAMES.get(self.s2s_model_name, self.s2s_model_name)
        for name in ("s2s_temperature", "s2s_text_temperature"):
            value = getattr(self, name)
            expect(value is None or 0 <= value <= 5, name, "0 to 5", value)
        expect(1 <= self.s2s_sessions <= 64, "s2s_sessions", "1 to 64", self.s2s_sessions)
