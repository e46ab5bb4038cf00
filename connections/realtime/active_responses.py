"""ActiveResponses: the responses of a session that have not ended, and the one that waits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connections.realtime.client_events import Refusal
from connections.realtime.conversation import Conversation
from connections.realtime.responses import CLIENT_CANCELLED, WHOLE, Response
from connections.realtime.server_events import ServerEvents
from connections.realtime.session_config import SessionConfig
from pipeline.events import TurnDone
from pipeline.messages import ChatMessage
from pipeline.session import Session

ALREADY_ACTIVE = "conversation_already_has_active_response"


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """A request for a response: from the client, or because its user was silent."""

    config: SessionConfig
    context: Sequence[ChatMessage] | None = None
    """The conversation to answer; None for that of the session."""
    aside: bool = False
    metadata: Mapping[str, str] | None = None
    event_id: str | None = None


class ActiveResponses:
    """The conversation has one response at a time; a request for another is refused.

    In two cases it waits for the end of the active response instead: the client has cancelled that
    response, or has added the result of a function that the response called. One request may wait.
    """

    def __init__(
        self,
        session: Session,
        tell: ServerEvents,
        conversation: Conversation,
        *,
        audio_is_sent: bool,
        on_begin: Callable[[], None],
    ) -> None:
        self.awaited: set[int] = set()
        """Turns that will be answered, but whose words are not known yet."""
        self.of_turn: dict[int, Response] = {}
        self._session = session
        self._tell = tell
        self._conversation = conversation
        self._audio_is_sent = audio_is_sent
        self._on_begin = on_begin
        self._stopped: set[int] = set()
        """Turns that the client has stopped, but whose end is not reported yet."""
        self._next: tuple[int, ResponseRequest] | None = None
        """The waiting request, and the turn whose end it waits for."""

    @property
    def active(self) -> int | None:
        """The turn of the conversation's response that is active or about to begin."""
        responses = (turn for turn, response in self.of_turn.items() if not response.aside)
        return next(iter(self.awaited), next(responses, None))

    def request(self, request: ResponseRequest) -> None:
        """Begin a response, now or after the active one. Raises `Refusal`, and what `Session.respond`
        raises."""
        active = self.active
        if request.aside or active is None:
            self._respond(request)
        elif self._next is None and self._may_be_followed(active):
            self._next = (active, request)
        else:
            text = "expected no active response; cancel it, or wait for response.done"
            raise Refusal(text, ALREADY_ACTIVE)

    def begin(self, turn: int, config: SessionConfig, **more: Any) -> None:
        """Announce the response of this turn."""
        self.awaited.discard(turn)
        self._on_begin()
        parts = (turn, self._tell, self._conversation, config)
        self.of_turn[turn] = Response(*parts, audio_is_sent=self._audio_is_sent, **more)

    def stop(self, turn: int) -> None:
        """Stop a response for the client."""
        self._stopped.add(turn)
        self._session.interrupt(CLIENT_CANCELLED, number=turn)

    def cancel(self, turn: int) -> None:
        """Stop a response, and withdraw the request that waits for it."""
        if self._next is not None and self._next[0] == turn:
            self._next = None
        self.stop(turn)

    def add_result(self, call: str) -> None:
        """Note that the client has added the result of this call."""
        for response in self.of_turn.values():
            response.add_result(call)

    def end(self, event: TurnDone) -> None:
        """Complete the response of a turn that is over, and begin the waiting one.

        If the user's speech has stopped it, none begins: the answer to that speech covers all results.
        """
        turn = event.turn
        self.awaited.discard(turn)
        self._stopped.discard(turn)
        response = self.of_turn.pop(turn, None)
        if response is not None:
            response.complete(event.state, event.reason)
        if self._next is None or self._next[0] != turn:
            return
        (_, request), self._next = self._next, None
        with self._tell.replying_to(request.event_id):
            by_the_client = event.reason == CLIENT_CANCELLED
            if self.active is not None or not (event.state in WHOLE or by_the_client):
                raise Refusal("the user spoke before this response could begin", ALREADY_ACTIVE)
            self._respond(request)

    def _respond(self, request: ResponseRequest) -> None:
        settings, aside = request.config.settings, request.aside
        turn = self._session.respond("", context=request.context, settings=settings, aside=aside)
        self.begin(turn.number, request.config, aside=aside, metadata=request.metadata)

    def _may_be_followed(self, turn: int) -> bool:
        response = self.of_turn.get(turn)
        return turn in self._stopped or (response is not None and response.has_result)
