"""AwaitedTurn: the last turn, which the user may continue while nothing of its answer is heard."""

from pipeline.turn import Turn, TurnState

_TOO_LATE = (TurnState.SPEAKING, TurnState.DONE, TurnState.FAILED, TurnState.INTERRUPTED)


class AwaitedTurn:
    """Holds the turn while it is undecided if new speech continues it."""

    def __init__(self) -> None:
        self.turn: Turn | None = None

    @property
    def pending(self) -> bool:
        """True if the user can still continue the turn: its answer has not begun."""
        return self.turn is not None and self.turn.state is TurnState.COMMITTED

    @property
    def too_late(self) -> bool:
        """True if the user can no longer continue the turn: its answer has begun or was interrupted."""
        return self.turn is not None and self.turn.state in _TOO_LATE

    def drop(self) -> bool:
        """Drop the turn, since the user continues it: the next one carries both. Returns False if there
        is none, or it is too late."""
        dropped = self.turn is not None and self.turn.drop("the user went on")
        if dropped:
            self.forget()
        return dropped

    def forget(self) -> None:
        """Leave the turn as it is: the next speech stands alone."""
        self.turn = None
