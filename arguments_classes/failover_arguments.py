"""FailoverArguments: flags for a stage that has several engines, as in --tts kokoro,espeak."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from catalog.registry import CASCADE


@dataclass
class FailoverArguments:
    """The time that an engine has, in seconds from the call, before the next one takes over.

    Recognizers: five times what one takes that is fast enough for a conversation. Language models: as
    long as a call may wait for a slot (`SLOT_WAIT_S`); any later, and the user has given up.
    Synthesizers: a sentence plays for two to six seconds, so one that needs longer to start a sentence
    cannot keep pace. End-to-end engines have the limit of a language model, since they contain one.
    """

    _argument_group_name: ClassVar[str] = "several engines"

    failover_stt_s: float = field(
        default=5.0,
        metadata={"help": "seconds to wait for the transcript before the next recognizer takes over"},
    )
    failover_llm_s: float = field(
        default=10.0,
        metadata={
            "help": "seconds to wait for the first word before the next language model takes over"
        },
    )
    failover_tts_s: float = field(
        default=5.0,
        metadata={
            "help": "seconds to wait for a sentence's first audio before the next synthesizer takes over"
        },
    )

    failover_s2s_s: float = field(
        default=10.0,
        metadata={
            "help": "seconds to wait for the first audio before the next end-to-end engine takes over"
        },
    )

    def __post_init__(self) -> None:
        for stage in (*CASCADE, "s2s"):
            seconds = getattr(self, f"failover_{stage}_s")
            expect(seconds > 0, f"failover_{stage}_s", "more than 0 seconds", seconds)
