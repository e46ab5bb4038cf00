"""FailoverArguments: flags where a stage has several engines, as in --tts kokoro,espeak."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect
from catalogue.registry import CASCADE


@dataclass
class FailoverArguments:
    """How long an engine may take before the next one does its work, in seconds from the moment at which
    it is asked.

    Words: five times what recognizers take that suit a conversation. An answer: as long as a call may
    stand in line (`SLOT_WAIT_S`); later, and the person has given up. Audio: a sentence is heard for two
    to six seconds, and who needs longer to begin it cannot keep pace.
    """

    _argument_group_name: ClassVar[str] = "several engines, by commas: the next takes over"

    failover_stt_s: float = field(
        default=5.0, metadata={"help": "longest wait for the words before the next recognizer is asked"}
    )
    failover_llm_s: float = field(
        default=10.0, metadata={"help": "longest wait for the first word before the next model is asked"}
    )
    failover_tts_s: float = field(
        default=5.0,
        metadata={"help": "longest wait for a sentence's first audio before the next voice is asked"},
    )

    def __post_init__(self) -> None:
        for stage in CASCADE:
            seconds = getattr(self, f"failover_{stage}_s")
            expect(seconds > 0, f"failover_{stage}_s", "more than 0 seconds", seconds)
