"""LocalArguments: flags of --mode local."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class LocalArguments:
    """Microphone and loudspeaker of this machine."""

    _argument_group_name: ClassVar[str] = "--mode local"

    input_device: str | None = field(
        default=None,
        metadata={"help": "microphone: part of its name, or its number in the output of --check"},
    )
    output_device: str | None = field(
        default=None,
        metadata={"help": "loudspeaker: part of its name, or its number in the output of --check"},
    )
    list_play_chunk_size: int = field(
        default=512, metadata={"help": "samples in a block of audio; at 16 kHz, 512 are 32 ms"}
    )
    headphones: bool = field(
        default=False,
        metadata={
            "help": "you wear headphones, so the microphone does not pick up the reply and you can "
            "interrupt at any time"
        },
    )
    echo_cancellation: bool = field(
        default=True,
        metadata={
            "help": "without headphones: keep listening during a reply, by removing the reply from the "
            "microphone's audio"
        },
    )
    push_to_talk: bool = field(
        default=False,
        metadata={"help": "listen only between two presses of the space bar"},
    )

    def __post_init__(self) -> None:
        size = self.list_play_chunk_size
        expect(32 <= size <= 16384, "list_play_chunk_size", "32 to 16384 samples", size)
