"""The script of the panel: what the callers say over answers, and what they say into the silence."""

import itertools
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.panel.caller import Caller
from benchmarks.panel.sounds import Clip, What

LEVELS_DB = {
    What.TURN: (0.0,),
    What.BACKCHANNEL: (0.0, -6.0, -10.0),
    What.TIC: (0.0, -3.0, -6.0),
    What.ASIDE: (-10.0, -12.5, -15.0),
    What.NOISE: (0.0,),
}
"""Loudness of the clips, in turn: others are farther away than the user."""

INTERRUPTED_S = (1.5, 5.0)
"""Part of an answer that is heard before it is interrupted."""

SPOKEN_OVER_S = (1.5, 2.2)
ENOUGH_S = 5.6
"""Part of an answer after which too little is left of it to speak over."""

TRIES = 4
BREATH_S = 0.8
"""Silence before a turn."""

QUIET_S = 1.5
"""Silence before a sound that is no turn."""

FOLLOWED_S = 3.0
"""Time that the answer is followed after the onset of a sound, and at least `ENDED_S` after its end:
what is said next should not meet an answer to the sound."""

ENDED_S = 2.2
ANSWERED_S = 3.2
"""Time after a sound in silence in which an answer to it would begin."""


@dataclass(frozen=True)
class Line:
    """One thing to say."""

    clip: Clip
    db: float
    over: bool
    """Over an answer; otherwise in silence."""


@dataclass(frozen=True)
class Script:
    """The lines of one caller, and the turns before them."""

    lines: list[Line]
    turns: list[Clip]


def scripts(clips: dict[What, list[Clip]], count: int, callers: int, seed: int) -> list[Script]:
    """Share `count` interruptions, as many back-channels over answers, and as many tics and asides both
    over answers and in silence, among the callers. Each recorded noise comes once over an answer and
    once in silence. Where there are fewer clips than that, they come again."""
    chance = random.Random(seed)
    over: list[Line] = []
    silent: list[Line] = []
    for what, levels in LEVELS_DB.items():
        number = min(count, len(clips[what])) if what is What.NOISE else count
        over += _lines(clips[what], levels, number, True, chance)
        if what not in (What.TURN, What.BACKCHANNEL):
            silent += _lines(clips[what], levels, number, False, chance)
    chance.shuffle(over)
    chance.shuffle(silent)
    lines = [over[k::callers] + silent[k::callers] for k in range(callers)]
    turns = clips[What.TURN]
    return [Script(own, chance.sample(turns, len(turns))) for own in lines]


async def perform(caller: Caller, script: Script, seed: int) -> None:
    """Say every line. Before each that is said over an answer there is a turn of the user's, and an
    answer to something that was no turn is cancelled."""
    chance, turns = random.Random(seed), itertools.cycle(script.turns)
    await caller.until(1.0)
    for number, line in enumerate(script.lines, 1):
        place = "over an answer" if line.over else "in silence"
        print(f"{number} of {len(script.lines)}, {place}: {line.clip.name}", file=sys.stderr)
        if not line.over:
            await caller.hush(QUIET_S)
            said = caller.say(line.clip, line.db)
            await caller.until(said.end + ANSWERED_S)
            continue
        interrupts = line.clip.what is What.TURN
        heard_s = chance.uniform(*(INTERRUPTED_S if interrupts else SPOKEN_OVER_S))
        if not await _find_answer(caller, turns, heard_s):
            caller.record.missed += 1
        elif interrupts:
            await caller.ask(line.clip, line.db, over=True)
        else:
            said = caller.say(line.clip, line.db, over=True)
            await caller.until(max(said.onset + FOLLOWED_S, said.end + ENDED_S))
    await caller.hush(BREATH_S)


async def _find_answer(caller: Caller, turns: Iterator[Clip], heard_s: float) -> bool:
    """Wait until this much of an answer is heard; ask for one where too little is left of the last."""
    for _ in range(TRIES):
        if await caller.listen(heard_s, ENOUGH_S):
            return True
        await caller.hush(BREATH_S)
        await caller.ask(next(turns))
    return await caller.listen(heard_s, ENOUGH_S)


def _lines(
    clips: list[Clip], levels: tuple[float, ...], count: int, over: bool, chance: random.Random
) -> Iterator[Line]:
    """`count` lines, of clips in random order."""
    order: list[Clip] = []
    while len(order) < count:
        order += chance.sample(clips, len(clips))
    for clip, db in zip(order[:count], itertools.cycle(levels), strict=False):
        yield Line(clip, db, over)
