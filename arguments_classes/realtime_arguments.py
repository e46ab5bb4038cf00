"""RealtimeArguments: flags of --s2s realtime."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from arguments_classes.flag_texts import KEY_FILE, base_url


@dataclass
class RealtimeArguments:
    """Any server that speaks the OpenAI Realtime protocol. The key comes from OPENAI_API_KEY or a
    file."""

    _argument_group_name: ClassVar[str] = "--s2s realtime"

    s2s_base_url: str | None = field(default=None, metadata={"help": base_url("ws://localhost:8000/v1")})
    s2s_model_name: str | None = field(
        default=None,
        metadata={"help": "model; default: gpt-realtime for OpenAI; other servers choose one"},
    )
    s2s_voice: str | None = field(
        default=None, metadata={"help": "voice, such as marin or cedar; default: the server's own"}
    )
    s2s_turn_detection: Literal["server_vad", "semantic_vad"] = field(
        default="server_vad",
        metadata={
            "help": "how the server detects the end of a turn: by a pause, or by the meaning of the "
            "words as well"
        },
    )
    s2s_transcription: str = field(
        default="gpt-4o-mini-transcribe",
        metadata={
            "help": "model that transcribes the user's speech, so that it is shown and remembered; "
            "none: no transcription"
        },
    )
    s2s_api_key_file: str | None = field(default=None, metadata={"help": KEY_FILE})
    s2s_timeout_s: float = field(
        default=10.0, metadata={"help": "longest wait for a connection, in seconds"}
    )

    def __post_init__(self) -> None:
        expect(self.s2s_timeout_s > 0, "s2s_timeout_s", "more than 0 seconds", self.s2s_timeout_s)
