"""Responses: the responses that the server has begun, each the reply of a turn."""

import contextlib
from collections.abc import Callable

from pipeline.errors import EngineBusy, EngineError
from pipeline.messages import COMPLETE, INVALID_CALL
from pipeline.session import TURNS_IN_LINE, Session
from pipeline.turn import Origin, Turn, TurnState
from S2S.realtime import requests
from S2S.realtime.answer import Answer
from S2S.realtime.calls import Calls
from S2S.realtime.chat import ServedChat
from S2S.realtime.deadline import Deadline, too_late
from S2S.realtime.events import AudioCame, Fields, Part, ResponseBegan, ResponseOver
from S2S.realtime.items import Items
from S2S.realtime.replies import FAILED, STAGE, Replies
from S2S.realtime.requests import SendEvent
from S2S.realtime.waiting_turns import WaitingTurns

MAX_AHEAD_S = 600.0
"""Speech that may wait to be heard. A server sends an answer faster than it is heard, but the longest
answers last a few minutes."""

MAX_OPEN = 64
"""Largest number of unfinished responses. A server has one or two, so beyond that the oldest are
dead."""


class Responses:
    """Gives each response to the turn that waits for it, or to a new turn if the server answers of its
    own accord. Everything happens on the thread of the loop."""

    def __init__(
        self,
        session: Session,
        chat: ServedChat,
        items: Items,
        replies: Replies,
        send: SendEvent,
        post: Callable[..., None],
        explain: Callable[[Fields, str], EngineError],
    ) -> None:
        self.waiting = WaitingTurns(
            send, post, replies, lambda: (answer.turn for answer in self._open.values())
        )
        self._session = session
        self._chat = chat
        self._items = items
        self._replies = replies
        self._send = send
        self._post = post
        self._explain = explain
        self._next_origin = Origin.PROGRAM
        """Origin of the next turn that the server begins by itself."""
        self._open: dict[str, Answer] = {}
        """Response ▶ answer, until the response is over."""
        self._living: dict[Turn, Answer] = {}
        """Answers of turns that have not ended."""
        self._ends: dict[Turn, contextlib.ExitStack] = {}

    # -- turns -------------------------------------------------------------------------------------

    def watch(self, turn: Turn) -> None:
        """Tell the server when `turn` ends before its answer does."""
        stack = self._ends[turn] = contextlib.ExitStack()
        stack.enter_context(turn.cancel.on_cancel(lambda: self._post(self._ended, turn)))

    def expect_use_of_result(self) -> None:
        """Note that the server has got the result of a function: the next turn that it begins by itself
        comes of that."""
        self._next_origin = Origin.TOOL

    def lose(self, error: EngineError) -> bool:
        """End every turn whose answer is not complete, since the server is gone. Returns False if there
        is none."""
        self._items.lose(turn.number for turn in self._living)
        for answer in self._living.values():
            answer.forget_items()
        unanswered = self.waiting.drop_all()
        failed = [self._fail(answer, error) for answer in list(self._open.values())]
        failed += [self._replies.fail(turn, error) for turn in unanswered]
        return any(failed)

    def close(self) -> None:
        """Wait for nothing more: the session is over."""
        self.waiting.drop_all()
        for answer in self._open.values():
            answer.deadline.cancel()
        self._open.clear()

    # -- events of the server ----------------------------------------------------------------------

    def began(self, event: ResponseBegan) -> None:
        """A response begins."""
        turn = self.waiting.claim(event.turn)
        if turn is None and event.turn is None and len(self._replies) < TURNS_IN_LINE:
            turn = self._session.begin_turn(self._next_origin)
            self._next_origin = Origin.PROGRAM
            self.watch(turn)
            turn.commit()
        if turn is None:  # too late, or too many
            self._cancel(event.response)
            return
        if event.response in self._open or len(self._open) >= MAX_OPEN:
            dead = self._open.get(event.response) or next(iter(self._open.values()))
            self._end(dead, COMPLETE)
        deadline = Deadline(lambda: self._post(self._stalled, answer))
        calls = Calls(turn, self._session, self._chat)
        answer = self._open[event.response] = Answer(turn, event.response, deadline, calls)
        if turn.alive:
            self._living[turn] = answer
            self._replies.begin(turn)
        else:
            self._stop(answer)

    def part(self, event: Part) -> None:
        """A response goes on."""
        answer = self._open.get(event.response)
        if answer is None:
            return
        answer.deadline.renew()
        if not answer.turn.alive:
            for item in answer.leave_out(event):
                self._send(requests.truncate(item, 0))
            return
        if isinstance(event, AudioCame):
            self._items.answered(answer.turn, event.item)
        self._replies.put(*answer.take(event))
        if sum(each.weight_s for each in self._living.values()) > MAX_AHEAD_S:
            limit = f"more than {MAX_AHEAD_S:.0f} s of speech ahead; the rest is left out"
            self._break_off(answer, EngineBusy(f"the server sends {limit}"))

    def over(self, event: ResponseOver) -> None:
        """A response is over."""
        answer = self._open.get(event.response)
        if answer is None:
            return
        turn = answer.turn
        end = INVALID_CALL if answer.calls.is_any_invalid else COMPLETE
        if event.status == "cancelled":
            why = "the user went on" if event.reason == "turn_detected" else "the server stopped it"
            turn.interrupt(why)
        elif event.status == "incomplete" and end == COMPLETE:
            end = event.reason or INVALID_CALL
        if event.status == "failed":
            code = event.error.get("code") or "engine_failed"
            self._fail(answer, self._explain(event.error, str(code)))
        else:
            self._end(answer, end)
        self.waiting.send_next()

    # ----------------------------------------------------------------------------------------------

    def _stalled(self, answer: Answer) -> None:
        """A response did not go on in time."""
        if self._open.get(answer.response) is answer:  # or it ended just now
            self._break_off(answer, too_late())

    def _break_off(self, answer: Answer, error: EngineError) -> None:
        """Take no more of a response."""
        self._cancel(answer.response)
        self._fail(answer, error)
        self.waiting.send_next()

    def _fail(self, answer: Answer, error: EngineError) -> bool:
        """End a response and the turn with it. Returns False if the turn has already ended."""
        is_wanted = answer.turn.alive
        if is_wanted:
            answer.turn.fail(STAGE, error)
        self._end(answer, FAILED)
        return is_wanted

    def _end(self, answer: Answer, reason: str) -> None:
        """Expect no more of a response."""
        del self._open[answer.response]
        answer.deadline.cancel()
        self._replies.put(*answer.finish(reason))

    def _stop(self, answer: Answer) -> None:
        """Have the server stop a response that nobody wants any more."""
        self._cancel(answer.response)
        answer.deadline.shorten()

    def _cancel(self, response: str) -> None:
        self._send(requests.cancel(response))

    def _ended(self, turn: Turn) -> None:
        """A turn is over. If the user did not hear all of its answer, tell the server. A turn that still
        waits for a response is kept, so that the response can be recognized as unwanted."""
        if (stack := self._ends.pop(turn, None)) is not None:
            stack.close()
        self.waiting.withdraw(turn)
        self._replies.leave(turn)
        answer = self._living.pop(turn, None)
        if answer is None:
            return
        if not answer.is_over:
            self._stop(answer)
        if turn.state in (TurnState.INTERRUPTED, TurnState.DROPPED):
            for item, heard_samples in answer.unheard():
                self._send(requests.truncate(item, heard_samples))
