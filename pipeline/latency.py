"""Latency: where the time of one turn went, read off its marks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """When something happened in a turn, in seconds."""

    clock_s: float
    """On the session's clock, on which speech and silence happen; a recording has its own."""
    wall_s: float
    """On the wall, on which engines compute."""


@dataclass(frozen=True, slots=True)
class Latency:
    """From the end of the user's speech to the first audio out, in milliseconds; None: did not happen.

    `rest_ms` is what no stage accounts for: threads handing over, frames being cut, waiting.
    """

    total_ms: float | None = None
    silence_ms: float | None = None
    """The pause that had to pass before the utterance counted as over."""
    stt_ms: float | None = None
    llm_ms: float | None = None
    """Until the first sentence."""
    tts_ms: float | None = None
    """Until the first audio."""
    rest_ms: float | None = None

    @classmethod
    def of(cls, marks: Mapping[str, Mark]) -> "Latency":
        """Read the marks of a turn."""

        def computing(start: str, end: str) -> float | None:
            if start in marks and end in marks:
                return 1000 * (marks[end].wall_s - marks[start].wall_s)
            return None

        silence = None
        if "speech_end" in marks and "endpoint" in marks:
            silence = 1000 * (marks["endpoint"].clock_s - marks["speech_end"].clock_s)
        stages = (
            computing("stt_start", "stt_first"),
            computing("llm_start", "llm_first"),
            computing("tts_start", "tts_first"),
        )
        work = computing("begun", "first_audio")
        if work is None:
            return cls(None, silence, *stages, None)
        rest = work - sum(stage or 0.0 for stage in stages)
        return cls(work + (silence or 0.0), silence, *stages, rest)
