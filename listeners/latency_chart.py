"""Latency chart: where the time of one answer went, as bars in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from listeners.glyphs import Glyphs
from pipeline.latency import Latency, Step

_NAMES = {
    "silence": "pause", "stt": "hearing", "llm": "answer", "tts": "voice", "s2s": "model",
    "rest": "rest",
}  # fmt: skip
_LABEL_WIDTH = 10
_WIDEST = 48


def latency_chart(
    latency: Latency, steps: Sequence[Step], glyphs: Glyphs, width: int, indent: int
) -> list[Text]:
    """The wait and its parts in one line, then a bar for each step up to the first sound: work that was
    done ahead, during the pause, stands beside it."""
    waits = {name: getattr(latency, f"{name}_ms") for name in _NAMES}
    parts = f" {glyphs.dot} ".join(
        f"{_NAMES[name]} {ms / 1000:.2f}" for name, ms in waits.items() if ms is not None and ms >= 5
    )
    total_ms = latency.total_ms or 0.0
    told = f"waited {total_ms / 1000:.2f} s: {parts}"
    lines = list(Text(told, "dim").wrap(Console(width=width), width - indent))
    shown = [step for step in steps if step.name in _NAMES and step.starts_ms < total_ms]
    start_ms = min((step.starts_ms for step in shown), default=0.0)
    cells = min(_WIDEST, width - indent - _LABEL_WIDTH)
    if cells >= 10 and total_ms > start_ms:
        per_ms = cells / (total_ms - start_ms)
        for step in shown:
            before = int((step.starts_ms - start_ms) * per_ms)
            length = max(1, round((min(step.ends_ms, total_ms) - step.starts_ms) * per_ms))
            bar = glyphs.bar[-1] * min(length, cells - before)
            lines.append(Text(f"{_NAMES[step.name]:<{_LABEL_WIDTH}}{' ' * before}{bar}", "dim"))
    for line in lines:
        line.pad_left(indent)
    return lines
