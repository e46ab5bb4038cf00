"""Reports: tells the listeners and the memory of a session about its turns."""

from pipeline.events import Interrupted, Transcript, TurnDone
from pipeline.latency import Latency, waterfall
from pipeline.mailbox import Mailboxes
from pipeline.memory import Forgetful, Memory
from pipeline.messages import Recording
from pipeline.turn import Turn, TurnState
from pipeline.turns import Turns


class Reports:
    """Reports the words of the user and the end of each turn, as events and to the memory."""

    def __init__(self, events: Mailboxes, turns: Turns) -> None:
        self.memory: Memory = Forgetful()
        """History of the conversation; replaced before the session starts if the model has one."""
        self.in_real_time = True
        """False for a recording that runs as fast as the engines allow: nobody waits for the answers, so
        there are no waits to report."""
        self._events = events
        self._turns = turns

    def understood(self, turn: Turn, text: str, language: str | None, audio: Recording | None) -> None:
        """Report the user's words once `turn` is committed; `audio` if there is no transcript."""
        turn.user_text, turn.language = text, language

        def tell() -> None:
            self.memory.said(turn.number, text, audio)
            self._events.emit(Transcript(turn.number, text, language))

        self._turns.when_committed(turn, tell)

    def turn_settled(self, turn: Turn, heard: str, started: bool) -> None:
        """Report the end of a turn: the part of the reply that was `heard`; `started`: audio was
        released."""
        self._turns.forget(turn)
        state, reason = turn.state, turn.ended_because or ""
        interrupted = state is TurnState.INTERRUPTED
        said = turn.user_text if turn.was_committed else ""
        if state is TurnState.DROPPED:
            self.memory.forget(turn.number)
        elif (heard or started) and turn.remembered and not turn.apologized:  # "" may be corrected
            self.memory.heard(turn.number, heard, interrupted or turn.failed)
        if interrupted and started:
            self._events.emit(Interrupted(turn.number, heard, reason))
        marks = dict(turn.marks)  # its stages may still be adding to them
        times = {name: mark.clock_s for name, mark in marks.items()}
        if turn.apologized:  # else it would count as an answer
            marks.pop("first_audio", None)
        latency, steps = Latency.of(marks), waterfall(marks)
        if not self.in_real_time:
            latency, steps = Latency(silence_ms=latency.silence_ms), ()
        done = TurnDone(turn.number, state.value, reason, said, heard, latency, steps, times)
        self._events.emit(done)

    def heard_corrected(self, turn: int, heard: str) -> None:
        """Correct the part of the reply that was heard, which the client has just reported."""
        self.memory.revise(turn, heard)
