"""The interaction panel of the tau-voice benchmark: latency and rate of responses and of yields, answers
that cut in, and selectivity over back-channels, tics and speech that is not meant for the program.

    python -m benchmarks.panel --quick
    python -m benchmarks.panel --flags="--turn_detector silence" --out calls.json

Calls the program in real time over the Realtime protocol, from several callers at once, with the
default engines but for a scripted language model. The full run has at least a hundred events of each
kind and takes forty minutes; --quick has eight and takes four. The measures are those of tau2-bench's
document; beside them stands what its code counts, which is stricter with tics and side talk
(benchmarks/panel/ticks.py).

The turns are the utterances of the folder in S2S_SPEECH, which needs its utterances.json; everything
else is made, or comes from recordings of other people (benchmarks/panel/sounds.py).
"""

import asyncio
import json
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import machine, median, percentile, table
from benchmarks.line import RealtimeLine
from benchmarks.panel.caller import Caller
from benchmarks.panel.model import PacedModel
from benchmarks.panel.record import Record, Verdict
from benchmarks.panel.script import Script, perform, scripts
from benchmarks.panel.sounds import What, clips
from benchmarks.panel.ticks import Kind, judge, panel
from benchmarks.program import web_server
from catalog.weights import FETCH, JOE, JOE_SETTINGS

EVENTS, QUICK_EVENTS = 108, 8
"""Events of each kind. Some are lost, since no answer came to speak over."""

CALLERS = 2
NOISES = Path("../shared/panel/noises")

NAMES = {
    "L_R": "response latency, s", "L_Y": "yield latency, s", "R_R": "response rate", "R_Y": "yield rate",
    "I_A": "answers that cut in, per turn", "S_BC": "talks through back-channels",
    "S_VT": "ignores coughs and fillers", "S_ND": "ignores speech not meant for it",
}  # fmt: skip
AIMS = {
    "L_R": "–", "L_Y": "≤ 0.60", "R_R": "1.00", "R_Y": "≥ 0.99",
    "I_A": "0.00", "S_BC": "≥ 0.95", "S_VT": "≥ 0.95", "S_ND": "≥ 0.80",
}  # fmt: skip
PUBLISHED = {
    "gpt-realtime-1.5": (1.39, 0.42, 1.00, 1.00, 0.14, 0.02, 0.05, 0.10),
    "gpt-realtime-2 minimal": (1.44, 0.62, 1.00, 1.00, 0.19, 0.02, 0.06, 0.17),
    "grok think-fast 1.0": (1.21, 1.37, 1.00, 0.94, 0.20, 0.66, 0.60, 0.28),
    "Gemini 3.1 Live minimal": (1.64, 0.82, 0.97, 0.52, 0.10, 0.90, 0.51, 0.27),
    "qwen3.5-omni-plus": (1.70, 0.93, 0.99, 0.90, 0.36, 0.84, 0.36, 0.15),
    "LiveKit cascade": (4.24, 0.87, 0.79, 0.99, 0.64, 0.67, 0.49, 0.58),
}
"""Figures of tau2-bench's leaderboard, overall, in the order of `NAMES`."""

SOON_MS, LATE_MS = 500, 900
COUNTED = (Kind.YIELD, Kind.BACKCHANNEL, Kind.TIC, Kind.ASIDE)
"""Events whose tick is the onset of what was said."""


async def call(port: int, shares: list[Script], seed: int) -> list[Record]:
    """Let all callers perform their scripts at once."""

    async def converse(number: int, script: Script) -> Record:
        async with Caller(RealtimeLine(port), seed + number) as caller:
            try:
                await perform(caller, script, seed + number)
            except (ConnectionError, EOFError) as error:  # what was said until then counts
                caller.record.errors.append(f"caller {number}: {error}")
        return caller.record

    return await asyncio.gather(*(converse(*share) for share in enumerate(shares)))


def figures(records: list[Record]) -> str:
    """The table of the panel."""
    documented = panel(event for record in records for event in judge(record.ticks()))
    strict = panel(event for record in records for event in judge(record.ticks(), strict=True))
    rows: list[list[object]] = []
    for (name, about), others in zip(NAMES.items(), zip(*PUBLISHED.values(), strict=True), strict=True):
        ours = [f"{name}: {about}", _figure(documented[name].value), documented[name].events]
        rows.append([*ours, _figure(strict[name].value), strict[name].events, AIMS[name], *others])
    header = ["", "measured", "events", "by tau2-bench's code", "events", "aim", *PUBLISHED]
    return table(f"Interaction panel, over the Realtime protocol ({machine()})", header, rows)


def waits(verdicts: list[Verdict]) -> str:
    """The table of the time from the end of speech to the first audio, and of that until silence."""
    said = [v for v in verdicts if v.said.what is What.TURN]
    interruptions = [v for v in said if v.said.over]
    stops = [v.stopped_ms for v in interruptions if v.stopped_ms is not None]
    rows = [
        _wait("end of a whole turn ▶ first audio", [v for v in said if not v.said.over]),
        _wait("end of an interruption ▶ first audio", interruptions),
        ["onset of an interruption ▶ silence", len(stops), "–", "–", *_spread(stops), "–", "–"],
    ]
    times = ("median ms", "mean ms", "p95 ms", f"under {SOON_MS} ms", f"over {LATE_MS} ms")
    header = ["", "how many", "answered too soon", "never answered", *times]
    return table("The same in milliseconds, as the client hears it", header, rows)


def _wait(name: str, turns: list[Verdict]) -> list[object]:
    """The shares are of all turns: one that was never answered is late, one answered too soon is
    neither."""
    answers = [v.answered_ms for v in turns if v.answered_ms is not None]
    after = [ms for ms in answers if ms >= 0]
    never = len(turns) - len(answers)
    soon, late = sum(ms < SOON_MS for ms in after), never + sum(ms > LATE_MS for ms in after)
    shares = [f"{100 * number / max(1, len(turns)):.0f} %" for number in (soon, late)]
    return [name, len(turns), len(answers) - len(after), never, *_spread(after), *shares]


def _spread(values: list[float]) -> list[str]:
    if not values:
        return ["–"] * 3
    spread = (median(values), sum(values) / len(values), percentile(values, 0.95))
    return [f"{value:.0f}" for value in spread]


def sounds(verdicts: list[Verdict]) -> str:
    """The table of what is no turn."""
    rows: list[list[object]] = []
    for what in What:
        for over in (True, False):
            group = [v for v in verdicts if v.said.what is what and v.said.over is over]
            if what is not What.TURN and group:
                rows.append(_group(what, over, group))
    header = ["", "how many", "right", "stopped it", "paused it", "answered", "by dB", "by sort"]
    return table("Sounds that are no turns", header, rows)


def _group(what: What, over: bool, group: list[Verdict]) -> list[object]:
    stopped = sum(v.stopped_ms is not None and not v.resumed for v in group)
    paused = sum(v.stopped_ms is not None and v.resumed for v in group)
    return [
        f"{what}, {'over an answer' if over else 'in silence'}",
        len(group),
        _right(group),
        *([stopped, paused] if over else ["–", "–"]),
        sum(v.answered_ms is not None for v in group),
        _by(group, lambda v: f"{v.said.db:g}"),
        _by(group, lambda v: v.said.sort),
    ]


def _by(group: list[Verdict], key: Callable[[Verdict], str]) -> str:
    """The rights of each part of a group."""
    parts: dict[str, list[Verdict]] = {}
    for verdict in group:
        parts.setdefault(key(verdict), []).append(verdict)
    return ", ".join(f"{name}: {_right(parts[name])}" for name in sorted(parts))


def _right(group: Iterable[Verdict]) -> str:
    judged = [v.right for v in group if v.right is not None]
    return f"{sum(judged)} of {len(judged)}" if judged else "–"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main(
    count: int = EVENTS, seed: int = 1, flags: str = "", noises: Path = NOISES, out: Path | None = None
) -> str:
    """Run the benchmark and return its tables."""
    if not (JOE.there and JOE_SETTINGS.there):
        return f"Interaction panel: the weights are missing; type: {FETCH}"
    if not noises.is_dir():
        print(f"no recorded noises: expected a folder, got {noises}; --noises names it", file=sys.stderr)
    shares = scripts(clips(seed, noises), count, CALLERS, seed)
    with PacedModel() as model:
        llm = ["--llm", "openai", "--llm_base_url", model.base_url]
        with web_server(*llm, *shlex.split(flags)) as port:
            records = asyncio.run(call(port, shares, seed))
    if out is not None:
        out.write_text(json.dumps([asdict(record) for record in records], indent=1), "utf-8")
    verdicts: list[Verdict] = []
    for record in records:
        events = judge(record.ticks())
        right = {event.tick: event.right for event in events if event.kind in COUNTED}
        verdicts += record.verdicts(right)
    late = [ms for record in records for ms in record.late_ms]
    missed = sum(record.missed for record in records)
    errors = "; ".join(sorted({error for record in records for error in record.errors}))
    about = (
        f"{len(records)} callers, seed {seed}, {max(r.length for r in records) / 60:.0f} minutes; "
        f"{missed} sounds left out, since no answer came to speak over; packets of the microphone left "
        f"{percentile(late, 0.99):.0f} ms late (99th percentile); errors: {errors or 'none'}.\n"
    )
    return "\n".join([figures(records), waits(verdicts), sounds(verdicts), about])
