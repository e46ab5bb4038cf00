"""FileArguments: flags of --mode file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class FileArguments:
    """A recording in, the reply out."""

    _argument_group_name: ClassVar[str] = "--mode file"

    input: str | None = field(
        default=None,
        metadata={
            "help": "recording; - for standard input; or a session's folder that --record kept, to "
            "replay it"
        },
    )
    output: str = field(
        default="reply.wav",
        metadata={
            "help": "file for the reply, .wav or .flac; both sides in stereo and a transcript are "
            "written beside it"
        },
    )
    realtime: bool = field(
        default=False,
        metadata={
            "help": "play the recording at its own pace, so that times are real, instead of as fast as "
            "possible"
        },
    )
    headphones: bool = field(
        default=False,
        metadata={"help": "let the recording go on during a reply and interrupt it"},
    )

    def __post_init__(self) -> None:
        is_sound = Path(self.output).suffix.lower() in (".wav", ".flac")
        expect(is_sound, "output", "the name of a .wav or .flac file", self.output or "nothing")
