"""Tally: a conversation in figures, for its last line."""

import statistics
import time
from collections.abc import Callable

from pipeline.addressing import NOT_MEANT
from pipeline.events import TurnDone
from pipeline.latency import Latency


class Tally:
    """Counts the turns of one session and their waits."""

    def __init__(self, *, by_hand: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._by_hand = by_hand
        self._now = now
        self._began = now()
        self._turns = 0
        self._waits_s: list[float] = []

    def wait_s(self, latency: Latency) -> float | None:
        """The time for which the user waited for an answer; None if none was heard.

        In push to talk the pause before the user's own press of the key is none of it.
        """
        if latency.total_ms is None:
            return None
        pause_ms = (latency.silence_ms or 0.0) if self._by_hand else 0.0
        return max(0.0, latency.total_ms - pause_ms) / 1000

    def add(self, event: TurnDone) -> None:
        """Count a turn, unless it was dropped, or the speech was not taken for one."""
        if event.state == "dropped" or event.reason == NOT_MEANT:
            return
        self._turns += 1
        wait_s = self.wait_s(event.latency)
        if wait_s is not None:
            self._waits_s.append(wait_s)

    def closing_line(self) -> str:
        """The number of turns, the length, and the usual wait for an answer."""
        minutes, seconds = divmod(round(self._now() - self._began), 60)
        turns = "1 turn" if self._turns == 1 else f"{self._turns} turns"
        line = f"Ended after {turns}, {minutes}:{seconds:02}."
        match len(self._waits_s):
            case 0:
                return line
            case 1:
                return f"{line} The answer began within {self._waits_s[0]:.1f} s."
            case _:
                median_s = statistics.median(self._waits_s)
                return f"{line} Half of the answers began within {median_s:.1f} s."
