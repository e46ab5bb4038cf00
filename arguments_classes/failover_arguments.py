"""FailoverArguments: flags where a stage has several engines, as in --tts kokoro,espeak."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from catalog.registry import CASCADE


@dataclass
class FailoverArguments:
    """The time that an engine has, in seconds from the call, before the next one takes over.

    Words: five times what a recognizer takes that suits a conversation. An answer: as long as a call may
    wait for a slot (`SLOT_WAIT_S`); any later, and the user has given up. Audio: a sentence plays for
    two to six seconds, so a synthesizer that needs longer to start one cannot keep pace.
    """

    _argument_group_name: ClassVar[str] = "several engines, by commas: the next takes over"

    failover_stt_s: float = field(
        default=5.0,
        metadata={"help": "longest wait for the words, in seconds, before the next recognizer is asked"},
    )
    failover_llm_s: float = field(
        default=10.0,
        metadata={"help": "longest wait for the first word, in seconds, before the next model is asked"},
    )
    failover_tts_s: float = field(
        default=5.0,
        metadata={
            "help": "longest wait for a sentence's first audio, in seconds, before the next synthesizer "
            "is asked"
        },
    )

    def __post_init__(self) -> None:
        for stage in CASCADE:
            seconds = getattr(self, f"failover_{stage}_s")
            expect(seconds > 0, f"failover_{stage}_s", "more than 0 seconds", seconds)
