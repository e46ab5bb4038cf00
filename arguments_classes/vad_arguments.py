"""VADArguments: the detection of speech and of the end of a turn."""

import math
from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect


@dataclass
class VADArguments:
    """Settings under their usual names, with defaults that were measured.

    Pauses between clauses reach 400 ms, so 500 ms of silence end a turn; if the user goes on before the
    answer starts, both parts are answered together. "Yes" lasts 406 ms and "no" 379, and of each of
    eight such words in four voices the detector marked 288 ms or more. With 30 ms of sound around
    speech, which is rounded up to windows of 32 ms, the recognizer misses twice as many words as with
    100. The certainty that a turn is finished grows with the pause.
    """

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
        metadata={"help": "silence after which a turn counts as finished"},
    )
    min_speech_ms: float = field(
        default=200,
        metadata={"help": "shortest sound that counts as speech"},
    )
    max_speech_ms: float = field(
        default=math.inf,
        metadata={"help": "length at which an utterance is cut; never longer than a minute"},
    )
    speech_pad_ms: float = field(
        default=100,
        metadata={"help": "sound to keep before and after speech, so that no word is cut"},
    )
    turn_detector: str = field(
        default="auto",
        metadata={
            "help": "judge of the end of a turn: audio, words (English), auto (both), silence (the "
            "pause alone), or an ONNX file for audio"
        },
    )
    turn_threshold: float = field(
        default=0.85,
        metadata={
            "help": "certainty, 0 to 1, that a turn is finished; higher is more patient with pauses for "
            "thought"
        },
    )
    speculate: bool = field(
        default=True,
        metadata={
            "help": "start on the answer at the first short pause, and discard it if the user goes on"
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
