"""VADArguments: when the user has begun and finished speaking."""

import math
from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class VADArguments:
    """The usual names of such settings, and why the defaults are what they are."""

    _argument_group_name: ClassVar[str] = "voice activity"

    thresh: float = field(
        default=0.3,
        metadata={"help": "probability from which a window is speech; it ends 0.15 lower"},
    )
    sample_rate: int = field(default=16000, metadata={"help": "16000 or 8000 Hz"})
    min_silence_ms: float = field(
        default=500,
        metadata={
            "help": "silence after which you have finished; pauses between clauses reach 400 ms, and "
            "who goes on before the answer is heard is answered to the whole"
        },
    )
    min_speech_ms: float = field(
        default=200,
        metadata={
            "help": 'shorter sounds are clicks, not speech; "yes" lasts 406 ms and "no" 379, and of '
            "eight such words in four voices the detector marked 288 ms or more"
        },
    )
    max_speech_ms: float = field(
        default=math.inf,
        metadata={"help": "longer utterances are cut here, at the latest after a minute"},
    )
    speech_pad_ms: float = field(
        default=100,
        metadata={
            "help": "audio kept before and after the speech, in whole windows of 32 ms; with 30 the "
            "recognizer misses twice as many words as with 100"
        },
    )
    turn_detector: str = field(
        default="auto",
        metadata={
            "help": "what tells a pause from an end: auto (Smart Turn, where its file is), silence (the "
            "length of the pause alone), or the path of Smart Turn's ONNX file"
        },
    )
    turn_threshold: float = field(
        default=0.85,
        metadata={
            "help": "how sure the turn detector must be that you have finished, 0 to 1, to answer after "
            "a short pause; at 0.85 it is fooled by half as many unfinished sentences as at 0.7"
        },
    )
    speculate: bool = field(
        default=True,
        metadata={
            "help": "work on the answer from the first short pause on, and throw it away if the user "
            "goes on: the answer comes sooner, and the engines work more"
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
