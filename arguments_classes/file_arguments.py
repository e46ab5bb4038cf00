"""FileArguments: flags of --mode file."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class FileArguments:
    """A recording in, the reply out."""

    _argument_group_name: ClassVar[str] = "--mode file"

    input: str | None = field(
        default=None,
        metadata={"help": "a recording, any format that soundfile reads; -: standard input"},
    )
    output: str = field(
        default="reply.wav",
        metadata={
            "help": "where the reply goes; beside it a stereo recording of both sides and a transcript"
        },
    )
    realtime: bool = field(
        default=False, metadata={"help": "at the pace of the recording, not as fast as it goes"}
    )
