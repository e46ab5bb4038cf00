"""CallReports: reports the function calls in a model's answers."""

import functools
from dataclasses import replace

from LLM.calls import is_json_object
from LLM.chat import Chat
from pipeline.events import ToolCalled, ToolCallGrew
from pipeline.messages import COMPLETE, INVALID_CALL, ToolCall
from pipeline.session import Session
from pipeline.turn import Turn


class CallReports:
    """Reports the calls of one session as events, and adds them to the memory. The calls of a tentative
    turn are reported when it is committed."""

    def __init__(self, chat: Chat, session: Session) -> None:
        self.chat = chat
        self.session = session
        self._turn_of_call: dict[str, int] = {}

    def of(self, turn: Turn) -> "AnswerCalls":
        """A reporter for the calls in the answer of a turn."""
        return AnswerCalls(self, turn)

    def own_id(self, turn: Turn, id: str) -> str:
        """A call id that is unique in the session, since results are matched by it; some servers number
        the calls of each answer anew."""
        first = self._turn_of_call.setdefault(id, turn.number)
        return id if first == turn.number else f"{id}_{turn.number}"


class AnswerCalls:
    """The calls in one answer. Each piece is reported at once, and a call as soon as it is complete."""

    def __init__(self, reports: CallReports, turn: Turn) -> None:
        self._reports = reports
        self._turn = turn
        self._call: ToolCall | None = None
        self._is_invalid = False

    def add(self, piece: ToolCall) -> None:
        """Report the next piece of a call; a piece with another id begins another call."""
        piece = replace(piece, id=self._reports.own_id(self._turn, piece.id))
        call = self._call
        if call is not None and call.id != piece.id:
            self._complete(call)
            call = None
        self._call = piece if call is None else replace(call, arguments=call.arguments + piece.arguments)
        self._tell(ToolCallGrew, piece)

    def end(self, reason: str) -> str:
        """Report the last call, and return the reason for the end of the answer: the model's, unless the
        arguments of a call that it considers complete are not a JSON object."""
        if self._call is not None and self._turn.alive:
            self._complete(self._call)
        return INVALID_CALL if self._is_invalid and reason == COMPLETE else reason

    def _complete(self, call: ToolCall) -> None:
        """Report a complete call. A call that was cut off is not reported. But the client has seen its
        beginning and may answer it anyway, so it is remembered without arguments."""
        if is_json_object(call.arguments):
            self._tell(ToolCalled, call)
            return
        self._is_invalid = True
        turn, reports = self._turn, self._reports
        if turn.remembered:
            cut = replace(call, arguments="{}")
            note = functools.partial(reports.chat.called, turn.number, cut, cut_short=True)
            reports.session.turns.when_committed(turn, note)

    def _tell(self, kind: type[ToolCalled] | type[ToolCallGrew], call: ToolCall) -> None:
        turn, reports = self._turn, self._reports

        def tell() -> None:
            if kind is ToolCalled and turn.remembered:
                reports.chat.called(turn.number, call)
            reports.session.events.emit(kind(turn.number, call.id, call.name, call.arguments))

        reports.session.turns.when_committed(turn, tell)
