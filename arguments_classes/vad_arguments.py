"""VADArguments: the detection of speech and of the end of a turn."""

import math
from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class VADArguments:
    """Settings under their usual names; the help gives the reason for each default."""

    _argument_group_name: ClassVar[str] = "voice activity"

    thresh: float = field(
        default=0.3,
        metadata={"help": "probability at which a sound starts to count as speech; it ends 0.15 below"},
    )
    sample_rate: int = field(
        default=16000, metadata={"help": "sample rate of the detector: 16000 or 8000 Hz"}
    )
    min_silence_ms: float = field(
        default=500,
        metadata={
            "help": "silence that ends a turn; pauses between clauses reach 400 ms. If the user goes on "
            "before the answer starts, both parts are answered together"
        },
    )
    min_speech_ms: float = field(
        default=200,
        metadata={
            "help": 'shortest sound that counts as speech; "yes" lasts 406 ms and "no" 379, and of each '
            "of eight such words in four voices the detector marked 288 ms or more"
        },
    )
    max_speech_ms: float = field(
        default=math.inf,
        metadata={"help": "length at which an utterance is cut; never longer than a minute"},
    )
    speech_pad_ms: float = field(
        default=100,
        metadata={
            "help": "audio to keep before and after speech, rounded up to windows of 32 ms; with 30 ms "
            "the recognizer misses twice as many words as with 100"
        },
    )
    turn_detector: str = field(
        default="auto",
        metadata={
            "help": "judge of the end of a turn: audio (Smart Turn, by the sound), words (SmolLM2, by "
            "the words, in English), silence (the length of the pause alone), auto (the first two, as "
            "far as their files are present), or the path of another ONNX file of Smart Turn (the first "
            "two, with that file)"
        },
    )
    turn_threshold: float = field(
        default=0.85,
        metadata={
            "help": "probability of a finished turn, 0 to 1, at which it is answered; it grows with the "
            "pause, so a higher one means more patience with speech that sounds unfinished"
        },
    )
    speculate: bool = field(
        default=True,
        metadata={
            "help": "start on the answer at the first short pause, and discard it if the user goes on: "
            "answers come sooner, and the engines work more"
        },
    )

    def __post_init__(self) -> None:
        rates = (8000, 16000)
        expect(0 < self.thresh < 1, "thresh", "a probability between 0 and 1", self.thresh)
        threshold = self.turn_threshold
        expect(0 < threshold < 1, "turn_threshold", "a probability between 0 and 1", threshold)
        expect(self.sample_rate in rates, "sample_rate", "16000 or 8000", self.sample_rate)
        for name in ("min_silence_ms", "min_speech_ms", "max_speech_ms", "speech_pad_ms"):
            value = getattr(self, name)
            finite = value < math.inf or name == "max_speech_ms"
            expect(value >= 0 and finite, name, "milliseconds, 0 or more", value)
        expect(
            self.max_speech_ms > self.min_speech_ms,
            "max_speech_ms",
            f"more than min_speech_ms ({self.min_speech_ms:g})",
            self.max_speech_ms,
        )
