"""LatencyReport: a single page that shows where the time of every turn went."""

import heapq
import statistics
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from listeners.listener import Listener
from pipeline.errors import UserError
from pipeline.events import Event, TurnDone
from pipeline.latency import Latency, Step
from pipeline.session import Session
from utils.installation import install_extra

TURNS_KEPT = 10_000
"""The most recent ones; some hours with twenty sessions."""

SLOWEST_KEPT = 20

PARTS = ("total", "silence", "stt", "llm", "tts", "rest")
_COLOURS = {
    "silence": "#b0b7c3", "stt": "#3b82f6", "llm": "#8b5cf6", "tts": "#10b981", "s2s": "#10b981",
    "frames": "#10b981", "reply": "#fbbf24", "rest": "#64748b", "total": "#111827",
}  # fmt: skip

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Latency</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }} td, th {{ padding: .2rem 1rem .2rem 0; text-align: right }}
td:first-child, th:first-child {{ text-align: left }}
</style></head><body>
<h1>From the end of speech to the first audio</h1>
<p>{count} answers. Each part is the time the user spent waiting for it, in milliseconds; work done
ahead, during the pause, cost the user nothing.</p>
{table}{distribution}{slowest}</body></html>
"""


@dataclass(frozen=True, order=True)
class SlowTurn:
    """A slow turn; ordered by its total time."""

    total_ms: float
    name: str
    steps: tuple[Step, ...] = field(compare=False)


class _Collector(Listener):
    """Adds the turns of one session to the report."""

    def __init__(self, session: Session, label: str, report: "LatencyReport") -> None:
        self._label = label
        self._report = report
        super().__init__(session)

    def on_event(self, event: Event) -> None:
        if isinstance(event, TurnDone) and event.latency.total_ms is not None:
            self._report.add(f"{self._label}, turn {event.turn}", event.latency, event.waterfall)


class LatencyReport:
    """Collects figures, never words, and draws them with plotly into a self-contained page.

    Raises `UserError` at once if the page could not be written at the end.
    """

    def __init__(self, path: Path) -> None:
        try:
            import plotly  # noqa: F401
        except ImportError as error:
            raise UserError(
                f"--latency_report needs plotly, which is not installed; type: {install_extra('report')}"
            ) from error
        if path.suffix != ".html":
            raise UserError(f"--latency_report: expected the name of an .html file, got {path}")
        try:
            path.open("ab").close()
        except OSError as error:
            raise UserError(f"--latency_report: {path} cannot be written: {error.strerror}") from error
        self._path = path
        self._latencies: deque[Latency] = deque(maxlen=TURNS_KEPT)
        self._slowest: list[SlowTurn] = []
        self._lock = threading.Lock()

    def listen(self, session: Session, label: str) -> Listener:
        """Collect the turns of a session."""
        return _Collector(session, label, self)

    def add(self, name: str, latency: Latency, steps: tuple[Step, ...]) -> None:
        """Add a turn that was answered."""
        with self._lock:
            self._latencies.append(latency)
            heapq.heappush(self._slowest, SlowTurn(latency.total_ms or 0.0, name, steps))
            if len(self._slowest) > SLOWEST_KEPT:
                heapq.heappop(self._slowest)

    def write(self) -> None:
        """Write the page."""
        with self._lock:
            times = {part: self._times(part) for part in PARTS}
            slowest_turns = sorted(self._slowest, reverse=True)
        slowest, distribution = _waterfalls(slowest_turns), _distribution(times)
        page = _PAGE.format(
            count=len(self._latencies),
            table=_table(times),
            distribution=distribution.to_html(full_html=False, include_plotlyjs=True),
            slowest=slowest.to_html(full_html=False, include_plotlyjs=False),
        )
        self._path.write_text(page, "utf-8")
        print(f"written: {self._path}", file=sys.stderr)

    def _times(self, part: str) -> list[float]:
        values = [getattr(latency, f"{part}_ms") for latency in self._latencies]
        return [value for value in values if value is not None]


def _table(times: dict[str, list[float]]) -> str:
    rows = ["<tr><th></th><th>median</th><th>95th percentile</th><th>longest</th></tr>"]
    for part, values in times.items():
        if values:
            p95 = sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]
            figures = (statistics.median(values), p95, max(values))
            cells = "".join(f"<td>{figure:.0f}</td>" for figure in figures)
            rows.append(f"<tr><td>{part}</td>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _distribution(times: dict[str, list[float]]) -> Any:
    from plotly import graph_objects

    boxes = [
        graph_objects.Box(x=values, name=part, marker_color=_COLOURS[part])
        for part, values in reversed(times.items())
        if values
    ]
    layout = {"title": "Distribution of each part", "xaxis_title": "ms", "showlegend": False}
    return graph_objects.Figure(boxes, {"template": "plotly_white", **layout})


def _waterfalls(turns: list[SlowTurn]) -> Any:
    """Chart of the slowest turns, slowest first; each step is a bar from its start to its end."""
    from plotly import graph_objects

    figure = graph_objects.Figure()
    for name in dict.fromkeys(step.name for turn in turns for step in turn.steps):
        steps = [(turn, step) for turn in turns for step in turn.steps if step.name == name]
        figure.add_bar(
            name=name,
            orientation="h",
            y=[f"{turn.name}: {turn.total_ms:.0f} ms" for turn, _ in steps],
            base=[step.starts_ms for _, step in steps],
            x=[step.ends_ms - step.starts_ms for _, step in steps],
            marker_color=_COLOURS[name],
        )
    longest = max((turn.total_ms for turn in turns), default=1000.0)
    figure.update_layout(
        title="The slowest turns, from the end of speech; the reply goes on to the right",
        template="plotly_white",
        barmode="group",
        height=160 + 60 * len(turns),
        xaxis={"title": "ms", "range": [0, 1.3 * longest]},
        yaxis={"autorange": "reversed"},
    )
    return figure
