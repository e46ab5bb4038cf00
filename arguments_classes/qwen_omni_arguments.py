"""QwenOmniArguments: flags of --s2s qwen-omni."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.flag_texts import DEVICE, PRECISION, Precision


@dataclass
class QwenOmniArguments:
    """Qwen2.5-Omni: hears, thinks and speaks in one model, through Transformers."""

    _argument_group_name: ClassVar[str] = "--s2s qwen-omni"

    s2s_model_name: str = field(
        default="Qwen/Qwen2.5-Omni-3B",
        metadata={
            "help": "a Qwen2.5-Omni model: a name on the hub, such as Qwen/Qwen2.5-Omni-7B, or a folder"
        },
    )
    s2s_voice: str | None = field(
        default=None,
        metadata={"help": "voice, such as Chelsie or Ethan; default: the model's first voice"},
    )
    s2s_device: str | None = field(default=None, metadata={"help": DEVICE})
    s2s_torch_dtype: Precision = field(default="auto", metadata={"help": PRECISION})
    s2s_gen_max_new_tokens: int = field(
        default=256,
        metadata={"help": "longest answer, in tokens; nothing is heard before all of it is generated"},
    )

    def __post_init__(self) -> None:
        most = self.s2s_gen_max_new_tokens
        expect(most > 0, "s2s_gen_max_new_tokens", "1 or more", most)
