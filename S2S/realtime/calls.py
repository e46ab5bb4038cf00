"""Calls: the function calls in one response of the server."""

from LLM.calls import is_json_object
from pipeline.events import ToolCalled, ToolCallGrew
from pipeline.messages import ToolCall
from pipeline.session import Session
from pipeline.turn import Turn
from S2S.realtime.chat import ServedChat
from S2S.realtime.events import CallBegan, CallGrew, CallMade


class Calls:
    """Reports the calls of a turn to the client, and remembers them."""

    def __init__(self, turn: Turn, session: Session, chat: ServedChat) -> None:
        self.is_any_invalid = False
        """True if the arguments of a call were not a JSON object; such a call is not reported."""
        self._turn = turn
        self._events = session.events
        self._chat = chat
        self._begun: dict[str, CallBegan] = {}
        """Item ▶ the function call in it."""

    def take(self, event: CallBegan | CallGrew | CallMade) -> None:
        """Begin, continue or complete a call."""
        if isinstance(event, CallBegan):
            self._begun[event.item] = event
        elif (begun := self._begun.get(event.item)) is None:
            return
        elif isinstance(event, CallGrew):
            self._events.emit(ToolCallGrew(self._turn.number, begun.call, begun.name, event.delta))
        elif is_json_object(event.arguments):
            if self._turn.remembered:
                call = ToolCall(begun.call, begun.name, event.arguments)
                self._chat.called(self._turn.number, call)
            self._events.emit(ToolCalled(self._turn.number, begun.call, begun.name, event.arguments))
        else:
            self.is_any_invalid = True
