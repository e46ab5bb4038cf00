"""Latency: where the time of one turn went, read off its marks. Step: what of it happened when."""

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
class Step:
    """What one part of the program did for a turn, in milliseconds after the end of the user's speech.

    What was done on the chance that a pause is the end lies beside the silence, not behind it.
    """

    name: str
    starts_ms: float
    ends_ms: float


def waterfall(marks: Mapping[str, Mark]) -> tuple[Step, ...]:
    """The steps of a turn, in the order in which they began; empty where nothing was done for it.

    A stage's step ends with the last that it sent on; ``reply`` is what was heard.
    """
    begin = marks.get("endpoint") or marks.get("begun")
    if begin is None:
        return ()
    silence_s = _silence_s(marks) or 0.0

    def between(name: str, first: str, last: str) -> list[Step]:
        if first not in marks or last not in marks:
            return []
        zero_s = begin.wall_s - silence_s
        return [Step(name, 1000 * (marks[first].wall_s - zero_s), 1000 * (marks[last].wall_s - zero_s))]

    stages = [name.removesuffix("_start") for name in marks if name.endswith("_start")]
    steps = [step for stage in stages for step in between(stage, f"{stage}_start", f"{stage}_last")]
    if silence_s:
        steps.append(Step("silence", 0.0, 1000 * silence_s))
    steps += between("reply", "first_audio", "heard_to")
    return tuple(sorted(steps, key=lambda step: step.starts_ms))


def _silence_s(marks: Mapping[str, Mark]) -> float | None:
    """The pause that had to pass, on the clock on which it was heard."""
    if "speech_end" not in marks or "endpoint" not in marks:
        return None
    return max(
        0.0, marks["endpoint"].clock_s - marks["speech_end"].clock_s
    )  # by hand it may cut a window


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
        if "frames_start" in marks:
            return cls()  # who is answered while they speak waits for nothing
        silence_s = _silence_s(marks)
        silence = None if silence_s is None else 1000 * silence_s
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
