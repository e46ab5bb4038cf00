"""AwaitedTurn: the last turn of the user, who may go on with it: nothing of its answer was heard."""

from pipeline.turn import Turn, TurnState

_TOO_LATE = (TurnState.SPEAKING, TurnState.DONE, TurnState.INTERRUPTED)


class AwaitedTurn:
    """Keeps the turn from the beginning of speech that may go on with it until that is decided."""

    def __init__(self) -> None:
        self.turn: Turn | None = None

    @property
    def pending(self) -> bool:
        """True if the user may still go on with the turn: its answer has not begun."""
        return self.turn is not None and self.turn.state is TurnState.COMMITTED

    @property
    def too_late(self) -> bool:
        """True if the user cannot go on with the turn anymore: its answer has begun, or it was
        interrupted."""
        return self.turn is not None and self.turn.state in _TOO_LATE

    def drop(self) -> bool:
        """Drop the turn, since the user goes on with it: the next one carries both. False if there is
        none, or it is too late."""
        dropped = self.turn is not None and self.turn.drop("the user went on")
        if dropped:
            self.forget()
        return dropped

    def forget(self) -> None:
        """Let the turn be: the next speech stands alone."""
        self.turn = None
