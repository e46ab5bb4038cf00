"""The measures of tau-voice's interaction panel, on ticks of 200 ms, as docs/interaction-metrics.md of
sierra-research/tau2-bench defines them.

`strict` counts as the code of tau2-bench does, so its figures compare with published ones. The code is
harsher than its document in two points: a tic or side talk over an answer, while the user takes no turn,
counts only if the answer stops; and a turn that contains one, and is rightly answered within 2 s, counts
as a sound that was wrongly answered.
"""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

TICK_S = 0.2
ANSWERED_TICKS = 10
"""A sound that gets an answer within 2 s of its end was taken for a turn."""

INTERRUPTED_TICKS = 10
"""An answer has to stop within 2 s of an interruption."""

KEPT_TICKS = 5
"""An answer that stops within 1 s of anything else was stopped by it."""


class Kind(StrEnum):
    """Things that happen in a conversation."""

    RESPONSE = "response"
    YIELD = "yield"
    CUT_IN = "cut in"
    BACKCHANNEL = "back-channel"
    TIC = "tic"
    ASIDE = "aside"


SOUNDS = (Kind.TIC, Kind.ASIDE)
"""Sounds that are no speech to the agent: coughs and fillers, and speech to and of others."""

Sound = tuple[Kind, int]
"""A sound, and a number that tells it from others of its kind."""


@dataclass(slots=True)
class Tick:
    """Voices and sounds in 200 ms."""

    user: bool = False
    agent: bool = False
    backchannel: bool = False
    """The user's voice is that of a back-channel. Counts in the first tick of a stretch of speech."""
    sounds: frozenset[Sound] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """One case that is counted."""

    kind: Kind
    right: bool
    tick: int
    """The start of the speech or sound, or the end of the turn that is to be answered."""
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of the panel, and the number of events behind it."""

    value: float | None
    events: int


@dataclass(slots=True)
class _Stretch:
    """Ticks from `start` to before `end` in which one side speaks."""

    start: int
    end: int
    over: bool
    """The other side speaks in the first tick."""
    overtaken: bool = False
    """The other side speaks in the tick after the last."""
    backchannel: bool = False
    sounds: set[Kind] = field(default_factory=set)

    @property
    def kind(self) -> Kind:
        """The kind of a stretch of the user over an answer."""
        if self.backchannel:
            return Kind.BACKCHANNEL
        return next((kind for kind in SOUNDS if kind in self.sounds), Kind.YIELD)


def judge(ticks: Sequence[Tick], strict: bool = False) -> list[Event]:
    """Find and judge every event of a conversation."""
    if len(ticks) > 1 and ticks[-1].user and not ticks[-2].user:
        ticks = ticks[:-1]  # a turn of which nothing can be known
    user = list(_stretches([(t.user, t.agent) for t in ticks], ticks))
    agent = list(_stretches([(t.agent, t.user) for t in ticks], ticks))
    return [
        *_responses(user, agent),
        *(_over_an_answer(ticks, stretch) for stretch in user if stretch.over),
        *(Event(Kind.CUT_IN, False, stretch.start) for stretch in agent if stretch.over),
        *(_answered_turns(user, agent) if strict else ()),
        *_sounds_between(ticks, agent, strict),
    ]


def panel(events: Iterable[Event]) -> dict[str, Measure]:
    """The eight figures, by the names of the field: latencies are means in seconds, the rest rates."""
    by_kind: dict[Kind, list[Event]] = {kind: [] for kind in Kind}
    for event in events:
        by_kind[event.kind].append(event)

    def latency(kind: Kind) -> Measure:
        waits = [event.latency_s for event in by_kind[kind] if event.latency_s is not None]
        return Measure(statistics.mean(waits) if waits else None, len(waits))

    def rate(kind: Kind) -> Measure:
        count = len(by_kind[kind])
        return Measure(sum(event.right for event in by_kind[kind]) / count if count else None, count)

    turns = len(by_kind[Kind.RESPONSE])
    return {
        "L_R": latency(Kind.RESPONSE),
        "L_Y": latency(Kind.YIELD),
        "R_R": rate(Kind.RESPONSE),
        "R_Y": rate(Kind.YIELD),
        "I_A": Measure(len(by_kind[Kind.CUT_IN]) / turns if turns else None, turns),
        "S_BC": rate(Kind.BACKCHANNEL),
        "S_VT": rate(Kind.TIC),
        "S_ND": rate(Kind.ASIDE),
    }


def _stretches(voices: list[tuple[bool, bool]], ticks: Sequence[Tick]) -> Iterator[_Stretch]:
    """The stretches of speech of one side; `voices` says for each tick if it speaks, and the other."""
    stretch: _Stretch | None = None
    for number, (speaks, other) in enumerate([*voices, (False, False)]):
        if speaks:
            if stretch is None:
                stretch = _Stretch(number, number, other, backchannel=ticks[number].backchannel)
            stretch.sounds |= {kind for kind, _ in ticks[number].sounds}
        elif stretch is not None:
            stretch.end, stretch.overtaken = number, other
            yield stretch
            stretch = None


def _responses(user: list[_Stretch], agent: list[_Stretch]) -> Iterator[Event]:
    """Turns that end while the agent is silent. The last one is not counted if no answer follows it."""
    turns = [turn for turn in user if not turn.backchannel and not turn.overtaken]
    for number, turn in enumerate(turns):
        answer = min((reply.start for reply in agent if reply.start >= turn.end), default=None)
        following = turns[number + 1].start if number + 1 < len(turns) else None
        if answer is not None and (following is None or answer <= following):
            yield Event(Kind.RESPONSE, True, turn.end, (answer - turn.end) * TICK_S)
        elif following is not None:
            yield Event(Kind.RESPONSE, False, turn.end)


def _over_an_answer(ticks: Sequence[Tick], stretch: _Stretch) -> Event:
    """Speech of the user that begins while the agent speaks: only an interruption should stop it."""
    kind = stretch.kind
    watched = INTERRUPTED_TICKS if kind is Kind.YIELD else KEPT_TICKS
    span = range(stretch.start, min(stretch.start + watched, len(ticks)))
    stop = next((number for number in span if not ticks[number].agent), None)
    if kind is not Kind.YIELD:
        return Event(kind, stop is None, stretch.start)
    latency_s = None if stop is None else (stop - stretch.start) * TICK_S
    return Event(kind, stop is not None, stretch.start, latency_s)


def _answered_turns(user: list[_Stretch], agent: list[_Stretch]) -> Iterator[Event]:
    """Turns with a sound in them, of which tau2-bench's code expects that they get no answer."""
    for stretch in user:
        kind = next((kind for kind in SOUNDS if kind in stretch.sounds), None)
        if kind is not None and not stretch.over:
            yield Event(kind, not _answer_within(agent, stretch.start, stretch.end), stretch.start)


def _sounds_between(ticks: Sequence[Tick], agent: list[_Stretch], strict: bool) -> Iterator[Event]:
    """Tics and side talk while the user takes no turn."""
    for kind, start, end in _sounds_alone(ticks):
        reply = next((reply for reply in agent if reply.start <= start < reply.end), None)
        if reply is None:
            yield Event(kind, not _answer_within(agent, start, end), start)
        else:
            kept = reply.end - start > KEPT_TICKS
            if not (strict and kept):
                yield Event(kind, kept, start)


def _sounds_alone(ticks: Sequence[Tick]) -> list[tuple[Kind, int, int]]:
    """The kind, the first tick and the tick after the last of every sound outside the user's turns."""
    spans: list[tuple[Kind, list[int]]] = []
    sounding: dict[Sound, list[int]] = {}
    for number, tick in enumerate(ticks):
        now: dict[Sound, list[int]] = {}
        for sound in sorted(tick.sounds) if not tick.user else ():
            now[sound] = sounding.get(sound) or [number, number]
            if sound not in sounding:
                spans.append((sound[0], now[sound]))
            now[sound][1] = number + 1
        sounding = now
    return [(kind, start, end) for kind, (start, end) in spans]


def _answer_within(agent: list[_Stretch], start: int, end: int) -> bool:
    return any(start <= reply.start <= end + ANSWERED_TICKS for reply in agent)
