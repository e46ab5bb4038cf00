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
            "help": "recording in any format that soundfile reads; - for standard input; or the folder "
            "of a session that --record kept, to replay it"
        },
    )
    output: str = field(
        default="reply.wav",
        metadata={
            "help": "file for the reply, .wav or .flac; NAME.conversation.wav (both sides in stereo) "
            "and NAME.transcript.json are written beside it"
        },
    )
    realtime: bool = field(
        default=False,
        metadata={
            "help": "play the recording at its own pace, so that latencies are real; without it, the "
            "recording is read as fast as the engines can follow"
        },
    )
    headphones: bool = field(
        default=False,
        metadata={"help": "let the recording go on during a reply and interrupt it"},
    )

    def __post_init__(self) -> None:
        is_sound = Path(self.output).suffix.lower() in (".wav", ".flac")
        expect(is_sound, "output", "the name of a .wav or .flac file", self.output or "nothing")
