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

    Of each stage it is the time for which the user waited; what was done during the pause, on the chance
    that it is the end, took none of theirs. `rest_ms` is what no stage accounts for: threads handing
    over, frames being cut, waiting.
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
        silence = None
        if "speech_end" in marks and "endpoint" in marks:
            silence = 1000 * (marks["endpoint"].clock_s - marks["speech_end"].clock_s)
        begin = marks.get("endpoint") or marks.get("begun")
        end = marks.get("first_audio")

        def waited(stage: str) -> float | None:
            started, first = marks.get(f"{stage}_start"), marks.get(f"{stage}_first")
            if started is None or first is None:
                return None
            since = max(started.wall_s, begin.wall_s) if begin else started.wall_s
            until = min(first.wall_s, end.wall_s) if end else first.wall_s
            return 1000 * max(0.0, until - since)

        stages = (waited("stt"), waited("llm"), waited("tts"))
        if begin is None or end is None:
            return cls(None, silence, *stages, None)
        work = 1000 * (end.wall_s - begin.wall_s)
        rest = work - sum(stage or 0.0 for stage in stages)
        return cls(work + (silence or 0.0), silence, *stages, rest)
