"""Turns: the active turns of one session."""

import threading
from collections.abc import Callable

from pipeline.settings import SessionSettings
from pipeline.turn import Origin, Turn, TurnObserver, TurnState


class Turns:
    """The turns of a session that have not ended, in the order in which they began.

    One lock guards the collection and the `on_commit` lists of the turns. It is never held while a turn
    is moved or a callback runs.
    """

    def __init__(self, observer: TurnObserver) -> None:
        self.begun = 0
        """Turns that ever began; the latest has this number."""
        self._observer = observer
        self._living: dict[int, Turn] = {}
        self._closed = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._living)

    def begin(self, origin: Origin, settings: SessionSettings) -> Turn:
        """Begin a tentative turn; after `close` it is dropped at once."""
        with self._lock:
            self.begun += 1
            turn = Turn(self.begun, origin, settings, self._observer)
            closed = self._closed
            if not closed:
                self._living[turn.number] = turn
        turn.mark("begun")
        if closed:
            turn.drop("the session is closing")
        return turn

    def forget(self, turn: Turn) -> None:
        """Remove a turn that has ended."""
        with self._lock:
            self._living.pop(turn.number, None)

    def when_committed(self, turn: Turn, do: Callable[[], None]) -> None:
        """Call `do` once `turn` is committed: now, or when it happens; never if the turn is dropped.

        A tentative turn may be taken back, so nothing of it is reported or learned before. The calls are
        made in the order in which they were registered, after `TurnCommitted` was emitted.
        """
        with self._lock:
            if turn.on_commit is not None:
                turn.on_commit.append(do)
                return
        if turn.state is not TurnState.DROPPED:
            do()

    def run_on_commit(self, turn: Turn) -> None:
        """Make the calls that waited for the commit of `turn`."""
        while (do := self._next_on_commit(turn)) is not None:
            do()

    def make_way_for(self, newer: Turn) -> None:
        """Interrupt the turns that the user's newer turn makes moot: older questions, the reply.

        The program's own turns stay in line.
        """
        for turn in self._snapshot():
            moot = turn.origin.is_user and turn.settings.answers
            if turn.number < newer.number and (moot or turn.state is TurnState.SPEAKING):
                turn.interrupt("the user went on")

    def interrupt(self, reason: str, number: int | None = None) -> None:
        """Interrupt every active turn, or only the one with this number."""
        for turn in self._snapshot():
            if number in (None, turn.number):
                turn.interrupt(reason)

    def interrupt_reply(self, reason: str) -> None:
        """Interrupt the turn that is being spoken."""
        for turn in self._snapshot():
            if turn.state is TurnState.SPEAKING:
                turn.interrupt(reason)

    def close(self, reason: str) -> None:
        """End every turn and begin no more: drop unheard turns, interrupt the one that is heard."""
        with self._lock:
            self._closed = True
        for turn in self._snapshot():
            if not turn.drop(reason):
                turn.interrupt(reason)

    def _snapshot(self) -> list[Turn]:
        with self._lock:
            return list(self._living.values())

    def _next_on_commit(self, turn: Turn) -> Callable[[], None] | None:
        with self._lock:
            if turn.on_commit:
                return turn.on_commit.pop(0)
            turn.on_commit = None
            return None
