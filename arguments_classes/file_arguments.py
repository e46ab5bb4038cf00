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
            "help": "a recording, any format that soundfile reads; -: standard input; or a session that "
            "--record kept, a folder, which is replayed"
        },
    )
    output: str = field(
        default="reply.wav",
        metadata={
            "help": "where the reply goes, a .wav or .flac file; beside it go NAME.conversation.wav, "
            "both sides in stereo, and NAME.transcript.json"
        },
    )
    realtime: bool = field(
        default=False,
        metadata={
            "help": "at the pace of the recording: latencies are true; else time waits for the engines"
        },
    )
    headphones: bool = field(
        default=False,
        metadata={"help": "let the recording go on while the program speaks, and interrupt it"},
    )

    def __post_init__(self) -> None:
        is_sound = Path(self.output).suffix.lower() in (".wav", ".flac")
        expect(is_sound, "output", "the name of a .wav or .flac file", self.output or "nothing")
