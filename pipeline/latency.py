"""Latency: the parts of the user's wait for the answer of one turn. Step: one part of the work on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """Time of an event in a turn, in seconds."""

    clock_s: float
    """Time on the session's clock, which times speech and silence; a recording has its own."""
    wall_s: float
    """Wall-clock time, which times the engines."""


@dataclass(frozen=True, slots=True)
class Step:
    """Work of one part of the program for a turn, in milliseconds after the end of the user's speech.

    Speculative work, done during the pause, overlaps the silence.
    """

    name: str
    starts_ms: float
    ends_ms: float


def waterfall(marks: Mapping[str, Mark]) -> tuple[Step, ...]:
    """The steps of a turn, in the order in which they began; empty if no work was done for it.

    The step of a stage ends with its last message; ``reply`` is the time in which the reply was heard.
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
    """Length of the pause that ended the utterance, on the session's clock."""
    if "speech_end" not in marks or "endpoint" not in marks:
        return None
    # a commit by hand may come before the end of a window
    return max(0.0, marks["endpoint"].clock_s - marks["speech_end"].clock_s)


@dataclass(frozen=True, slots=True)
class Latency:
    """Times from the end of the user's speech to the first audio out, in milliseconds; None: did not
    happen.

    The time of a stage is the time for which the user waited; speculative work during the pause does not
    count. `rest_ms` is the time that no stage accounts for: threads handing over, frames being cut,
    waiting.
    """

    total_ms: float | None = None
    silence_ms: float | None = None
    """Pause that had to pass before the utterance counted as over."""
    stt_ms: float | None = None
    llm_ms: float | None = None
    """Time to the first sentence."""
    tts_ms: float | None = None
    """Time to the first audio."""
    rest_ms: float | None = None
    s2s_ms: float | None = None
    """Time to the first audio of an end-to-end engine."""

    @classmethod
    def of(cls, marks: Mapping[str, Mark]) -> "Latency":
        """Read the marks of a turn."""
        if "frames_start" in marks:
            return cls()  # answered while the user speaks: no wait
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

        stages = {f"{stage}_ms": waited(stage) for stage in ("stt", "llm", "tts", "s2s")}
        if begin is None or end is None:
            return cls(silence_ms=silence, **stages)
        work = 1000 * (end.wall_s - begin.wall_s)
        rest = work - sum(stage or 0.0 for stage in stages.values())
        return cls(total_ms=work + (silence or 0.0), silence_ms=silence, rest_ms=rest, **stages)
