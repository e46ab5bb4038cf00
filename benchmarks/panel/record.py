"""The record of a call: what was said and what was heard, when; and what follows from it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.panel.sounds import What
from benchmarks.panel.ticks import ANSWERED_TICKS, KEPT_TICKS, TICK_S, Kind, Tick

KINDS = {What.TIC: Kind.TIC, What.ASIDE: Kind.ASIDE}
SCRIPTED_S = 2.95
"""Time after the start of a sound from which the script may have stopped the answer itself."""


@dataclass(slots=True)
class Said:
    """A clip that was played. All times are in seconds since the microphone was opened."""

    what: What
    sort: str
    name: str
    db: float
    """Loudness, relative to the reference."""
    onset: float
    end: float
    over: bool
    """Said over an answer, or for a turn: to interrupt it."""


@dataclass(slots=True)
class Span:
    """A stretch in which the loudspeaker plays one answer without a gap."""

    start: float
    end: float
    response: str
    item: str


@dataclass(slots=True)
class Verdict:
    """The effects of a sound on the answer that it was said over, and on the one after it."""

    said: Said
    right: bool | None
    """The verdict of the panel, or by its windows for a recorded noise; None for what neither counts."""
    stopped_ms: float | None = None
    """Time from the onset to the end of the answer, or to a gap in it, if either was early."""
    resumed: bool = False
    """The answer went on after the gap."""
    answered_ms: float | None = None
    """Time from the end of the sound to the first audio of the next answer, if one came; negative if the
    answer began before the end."""


@dataclass(slots=True)
class Record:
    """One call."""

    said: list[Said] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    """Delay of each packet of the microphone: a measure of how busy the machine was."""
    errors: list[str] = field(default_factory=list)
    missed: int = 0
    """Events that were left out, since no answer came to speak over."""
    length: float = 0.0

    def ticks(self) -> list[Tick]:
        """The call as the panel sees it. Recorded noises are left out: it has no measure for them."""
        ticks = [Tick() for _ in range(int(self.length / TICK_S) + 1)]

        def during(start: float, end: float) -> list[Tick]:
            if end <= start:  # an answer that was cut off before it was heard
                return []
            return ticks[int(start / TICK_S + 1e-6) : math.ceil(end / TICK_S - 1e-6)]

        for span in self.spans:
            for tick in during(span.start, span.end):
                tick.agent = True
        for number, said in enumerate(self.said):
            for tick in during(said.onset, said.end):
                if said.what in KINDS:
                    tick.sounds |= {(KINDS[said.what], number)}
                elif said.what is not What.NOISE:
                    tick.user, tick.backchannel = True, said.what is What.BACKCHANNEL
        return ticks

    def verdicts(self, right: dict[int, bool]) -> Iterator[Verdict]:
        """The effects of everything that was said. `right`: the verdicts of the panel, by tick."""
        for said in self.said:
            verdict = Verdict(said, right.get(round(said.onset / TICK_S)))
            following = min((s.onset for s in self.said if s.onset > said.onset), default=self.length)
            self._see_answer_under(verdict, min(following, said.onset + SCRIPTED_S))
            self._see_answer_after(verdict, following)
            if said.what is What.NOISE:
                verdict.right = self._ignored(said)
            yield verdict

    def _ignored(self, said: Said) -> bool:
        """True if a noise, judged like a tic, was ignored."""
        if said.over:
            kept_until = said.onset + KEPT_TICKS * TICK_S
            return any(span.start <= said.onset and span.end > kept_until for span in self.spans)
        until = said.end + ANSWERED_TICKS * TICK_S
        return not any(said.onset <= span.start <= until for span in self.spans)

    def _see_answer_under(self, verdict: Verdict, until: float) -> None:
        onset = verdict.said.onset
        span = next((s for s in self.spans if s.start <= onset < s.end), None)
        if span is not None and span.end < until:
            verdict.stopped_ms = 1000 * (span.end - onset)
            later = (s for s in self.spans if s.response == span.response and s.start >= span.end)
            verdict.resumed = next(later, None) is not None

    def _see_answer_after(self, verdict: Verdict, until: float) -> None:
        onset = verdict.said.onset
        under = {s.response for s in self.spans if s.start <= onset < s.end}
        starts = (s.start for s in self.spans if onset < s.start < until and s.response not in under)
        if (start := next(starts, None)) is not None:
            verdict.answered_ms = 1000 * (start - verdict.said.end)
