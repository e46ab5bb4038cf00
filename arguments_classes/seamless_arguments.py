"""SeamlessArguments: flags of --s2s seamless."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from arguments_classes.flag_texts import DEVICE, Precision


@dataclass
class SeamlessArguments:
    """SeamlessM4T v2: repeats what you say in another language, through Transformers."""

    _argument_group_name: ClassVar[str] = "--s2s seamless"

    s2s_model_name: str = field(
        default="facebook/seamless-m4t-v2-large",
        metadata={"help": "a SeamlessM4T v2 model: a name on the hub, or a folder"},
    )
    s2s_target_language: str = field(
        default="en",
        metadata={
            "help": "language to translate into, such as fr; --language, or a client's setting, "
            "overrides it"
        },
    )
    s2s_speaker_id: int = field(
        default=0,
        metadata={"help": "speaker, 0 to 199 in the default model. A session may choose another one"},
    )
    s2s_device: str | None = field(default=None, metadata={"help": DEVICE})
    s2s_torch_dtype: Precision = field(
        default="auto",
        metadata={"help": "precision of the weights; auto: float16 on cuda, else float32"},
    )

    def __post_init__(self) -> None:
        expect(self.s2s_speaker_id >= 0, "s2s_speaker_id", "0 or more", self.s2s_speaker_id)
