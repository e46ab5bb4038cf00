"""Answers: the responses of the server, each of which becomes the reply of a turn."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from LLM.calls import is_json_object
from LLM.chat import MAX_ENTRIES
from pipeline.channel import Channel
from pipeline.errors import EngineBusy, EngineError
from pipeline.events import ToolCalled, ToolCallGrew
from pipeline.messages import COMPLETE, INVALID_CALL, EndOfTurn, Speech, ToolCall
from pipeline.session import TURNS_IN_LINE, Session
from pipeline.turn import Origin, Turn, TurnState
from S2S.realtime.answer import STAGE, Answer
from S2S.realtime.chat import ServedChat
from S2S.realtime.deadline import Deadline, too_late
from S2S.realtime.events import (
    AudioCame,
    CallBegan,
    CallGrew,
    CallMade,
    Fields,
    ResponseBegan,
    ResponseOver,
    TextCame,
)
from S2S.realtime.reply_line import ReplyLine
from S2S.realtime.requests import RATE_HZ
from S2S.realtime.waiting_turns import SendEvent, WaitingTurns

MAX_AHEAD_S = 600.0
"""Speech that may wait to be heard. A server sends an answer faster than it is heard, but the longest
answers last a few minutes."""

MAX_OPEN = 64
"""Largest number of unfinished responses. A server has one or two, so beyond that the oldest are
dead."""

MAX_TRIES = 3
"""Attempts to request a response, each refused since another response was just beginning."""

ALREADY_ACTIVE = "conversation_already_has_active_response"
RACES = "race"
"""Id of events that a server may refuse, since the response that they concern may have ended
meanwhile."""


class Answers:
    """Gives each response to the turn that waits for it, or to a new turn if the server answers of its
    own accord. Everything happens on the thread of the loop."""

    def __init__(
        self,
        session: Session,
        chat: ServedChat,
        speech: Channel[Speech | EndOfTurn],
        send: SendEvent,
        post: Callable[..., None],
        explain: Callable[[Fields], str],
    ) -> None:
        self.next_origin = Origin.PROGRAM
        """Origin of the next turn that the server begins by itself."""
        self.orphans: set[int] = set()
        """Turns whose answer was still being heard when the connection was lost."""
        self.item_of: dict[int, str] = {}
        """Turn ▶ the server's item with its answer."""
        self._session = session
        self._chat = chat
        self._line = ReplyLine(speech)
        self._send = send
        self._post = post
        self._explain = explain
        self._waiting = WaitingTurns(
            send,
            lambda: (answer.turn for answer in self._open.values()),
            lambda turn: post(self._never_began, turn),
        )
        self._open: dict[str, Answer] = {}
        """Response ▶ answer, until the response is over."""
        self._living: dict[Turn, Answer] = {}
        """Answers of turns that have not ended."""
        self._ends: dict[Turn, contextlib.ExitStack] = {}

    @property
    def is_owed(self) -> bool:
        """True if an answer, or more of one, is to come."""
        return self._waiting.is_any_alive or not self._line.is_empty

    @property
    def requested(self) -> list[int]:
        """The turns whose response was requested, but has not begun."""
        return self._waiting.requested

    # -- turns -------------------------------------------------------------------------------------

    def watch(self, turn: Turn) -> None:
        """Tell the server when `turn` ends before its answer does."""
        stack = self._ends[turn] = contextlib.ExitStack()
        stack.enter_context(turn.cancel.on_cancel(lambda: self._post(self._ended, turn)))

    def expect(self, turn: Turn) -> None:
        """Give the next response to `turn`: the server begins it by itself."""
        self._waiting.expect(turn)

    def expect_no_more(self, turn: Turn) -> None:
        """Note that the server has taken `turn` back, so that it begins no response."""
        self._waiting.drop(turn)

    def request(self, turn: Turn, event: Mapping[str, Any]) -> None:
        """Request the response of `turn`, now or after the present one."""
        self._waiting.request(turn, event)

    def end(self, turn: Turn, reason: str = COMPLETE) -> None:
        """End a turn that gets no answer."""
        self._waiting.drop(turn)
        answer = Answer(turn)
        self._enter(answer)
        self._finish(answer, reason)

    def fail_all(self, error: EngineError) -> bool:
        """End every turn whose answer is not complete, since the server is gone. Returns False if there
        is none."""
        answers = list(self._open.values())
        unfinished = [answer.turn for answer in answers] + self._waiting.drop_all()
        self.close()
        self.orphans = {turn.number for turn in self._living}
        failed = [turn for turn in unfinished if turn.alive]
        for turn in failed:
            turn.fail(STAGE, error)
        for answer in answers:
            self._finish(answer, f"{STAGE} failed")
        for turn in failed:
            if all(answer.turn is not turn for answer in answers):
                self.end(turn, f"{STAGE} failed")
        return bool(failed)

    def refused(self, turn_number: int, code: str, error: Fields) -> None:
        """The server has refused the request of a response."""
        request = self._waiting.refused(turn_number)
        if request is None:
            return
        turn = request.turn
        if code == ALREADY_ACTIVE and request.tries < MAX_TRIES and turn.alive:
            self._waiting.repeat(request)
            return
        if turn.alive:
            turn.fail(STAGE, EngineError(self._explain(error), code or "refused"))
        self.end(turn, f"{STAGE} failed")
        self._waiting.send_next()

    def close(self) -> None:
        """Forget all that is to come: the connection is gone."""
        self._waiting.drop_all()
        for response in list(self._open):
            self._shut(response)

    # -- events of the server ----------------------------------------------------------------------

    def began(self, event: ResponseBegan) -> None:
        """A response begins."""
        turn = self._waiting.claim(event.turn)
        if turn is None:
            if event.turn is not None or len(self._living) >= TURNS_IN_LINE:  # too late, or too many
                self._cancel(event.response)
                return
            turn = self._session.begin_turn(self.next_origin)
            self.next_origin = Origin.PROGRAM
            self.watch(turn)
            turn.commit()
        if event.response in self._open:
            self._finish(self._shut(event.response), COMPLETE)
        deadline = Deadline(lambda: self._post(self._stalled, answer))
        answer = self._open[event.response] = Answer(turn, event.response, deadline)
        if len(self._open) > MAX_OPEN:
            self._finish(self._shut(next(iter(self._open))), COMPLETE)
        if turn.alive:
            self._enter(answer)
        else:
            self._stop(answer)

    def audio(self, event: AudioCame) -> None:
        """Audio of a response."""
        answer = self._continued(event.response)
        if answer is None:
            return
        if not answer.turn.alive:
            if event.item not in answer.items:  # it began before the server got our request
                answer.items[event.item] = 0
                self._cut(event.item, 0)
            return
        self.item_of[answer.turn.number] = event.item
        if len(self.item_of) > MAX_ENTRIES:
            del self.item_of[next(iter(self.item_of))]
        self._line.put(answer, *answer.speak(event))
        self._limit(answer)

    def text(self, event: TextCame) -> None:
        """Text of a response."""
        answer = self._of(event.response)
        if answer is not None:
            self._line.put(answer, *answer.write(event))
            self._limit(answer)

    def call_began(self, event: CallBegan) -> None:
        """The model begins to call a function."""
        answer = self._of(event.response)
        if answer is not None:
            answer.calls[event.item] = ToolCall(event.call, event.name, "")

    def call_grew(self, event: CallGrew) -> None:
        """The arguments of a call grow."""
        answer = self._of(event.response)
        if answer is not None and (call := answer.calls.get(event.item)) is not None:
            turn = answer.turn.number
            self._session.events.emit(ToolCallGrew(turn, call.id, call.name, event.delta))

    def call_made(self, event: CallMade) -> None:
        """A call is complete. It is reported if its arguments are a JSON object."""
        answer = self._of(event.response)
        if answer is None or (call := answer.calls.get(event.item)) is None:
            return
        if not is_json_object(event.arguments):
            answer.end = INVALID_CALL
            return
        turn = answer.turn
        if turn.remembered:
            self._chat.called(turn.number, ToolCall(call.id, call.name, event.arguments))
        self._session.events.emit(ToolCalled(turn.number, call.id, call.name, event.arguments))

    def over(self, event: ResponseOver) -> None:
        """A response is over."""
        if event.response not in self._open:
            return
        answer = self._shut(event.response)
        turn, end = answer.turn, answer.end
        if event.status == "cancelled":
            why = "the user went on" if event.reason == "turn_detected" else "the server stopped it"
            turn.interrupt(why)
        elif event.status == "failed" and turn.alive:
            code = event.error.get("code") or "engine_failed"
            turn.fail(STAGE, EngineError(self._explain(event.error), str(code)))
            end = f"{STAGE} failed"
        elif event.status == "incomplete" and end == COMPLETE:
            end = event.reason or INVALID_CALL
        self._finish(answer, end)
        self._waiting.send_next()

    def interrupt(self, reason: str) -> None:
        """Stop every answer that has begun, heard or not."""
        for turn in list(self._living):
            turn.interrupt(reason)

    # ----------------------------------------------------------------------------------------------

    def _continued(self, response: str) -> Answer | None:
        """The answer of a response of which more came."""
        answer = self._open.get(response)
        if answer is not None and answer.deadline is not None:
            answer.deadline.renew()
        return answer

    def _of(self, response: str) -> Answer | None:
        """The answer of a response of which more came, if it is wanted."""
        answer = self._continued(response)
        return answer if answer is not None and answer.turn.alive else None

    def _shut(self, response: str) -> Answer:
        """Expect no more of a response."""
        answer = self._open.pop(response)
        if answer.deadline is not None:
            answer.deadline.cancel()
        return answer

    def _never_began(self, turn: Turn) -> None:
        """The response of a turn did not begin in time."""
        if not self._waiting.drop(turn):  # it began just now
            return
        if turn.alive:
            turn.fail(STAGE, too_late())
            self.end(turn, f"{STAGE} failed")
        self._waiting.send_next()

    def _stalled(self, answer: Answer) -> None:
        """A response did not go on in time."""
        if self._open.get(answer.response) is answer:
            self._break_off(answer, too_late())

    def _break_off(self, answer: Answer, error: EngineError) -> None:
        """Take no more of a response."""
        if answer.turn.alive:
            answer.turn.fail(STAGE, error)
        self._cancel(answer.response)
        self._finish(self._shut(answer.response), f"{STAGE} failed")
        self._waiting.send_next()

    def _stop(self, answer: Answer) -> None:
        """Have the server stop a response that nobody wants any more."""
        self._cancel(answer.response)
        if answer.deadline is not None:
            answer.deadline.shorten()

    def _cancel(self, response: str) -> None:
        self._send({"type": "response.cancel", "event_id": RACES, "response_id": response})

    def _enter(self, answer: Answer) -> None:
        if answer.turn.alive:
            self._living[answer.turn] = answer
            self._line.enter(answer)

    def _limit(self, answer: Answer) -> None:
        """Let the turn of an answer fail if too much speech waits to be heard."""
        if sum(each.weight_s for each in self._living.values()) > MAX_AHEAD_S:
            limit = (
                f"the server sends more than {MAX_AHEAD_S:.0f} s of speech ahead; the rest is left out"
            )
            self._break_off(answer, EngineBusy(limit))

    def _finish(self, answer: Answer, reason: str) -> None:
        self._line.put(answer, *answer.finish(reason))

    def _ended(self, turn: Turn) -> None:
        """A turn is over. If the user did not hear all of its answer, tell the server. A turn that still
        waits for a response is kept, so that the response can be recognized as unwanted."""
        if (stack := self._ends.pop(turn, None)) is not None:
            stack.close()
        self._waiting.drop_from_line(turn)
        answer = self._living.pop(turn, None)
        if answer is None:
            return
        self._line.leave(answer)
        if turn.number in self.orphans:
            return
        if not answer.is_over:
            self._stop(answer)
        if turn.state in (TurnState.INTERRUPTED, TurnState.DROPPED):
            for item, heard_samples in answer.unheard():
                self._cut(item, heard_samples)

    def _cut(self, item: str, heard_samples: int) -> None:
        cut = {"item_id": item, "content_index": 0, "audio_end_ms": 1000 * heard_samples // RATE_HZ}
        self._send({"type": "conversation.item.truncate", "event_id": RACES, **cut})
