"""Conversation: connects one of our sessions to one session of the server."""

import threading
from collections.abc import Callable
from typing import Any

from LLM.chat import heard_id, said_id
from pipeline.channel import Channel
from pipeline.errors import EngineError
from pipeline.events import AudioLost, ModelAway
from pipeline.messages import AudioBlock, ChatMessage, EndOfTurn, ManualTurn, Speech, UserText
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.turn import Origin, Turn
from S2S.realtime import requests
from S2S.realtime.answer import STAGE
from S2S.realtime.answers import RACES, Answers
from S2S.realtime.chat import ServedChat
from S2S.realtime.deadline import Deadline, too_late
from S2S.realtime.events import (
    AudioCame,
    CallBegan,
    CallGrew,
    CallMade,
    Faulted,
    Fields,
    ItemDeleted,
    ResponseBegan,
    ResponseOver,
    ServerEvent,
    SpeechBegan,
    SpeechCommitted,
    SpeechPaused,
    TextCame,
    WordsGrew,
    WordsKnown,
    read,
)
from S2S.realtime.link import Link
from S2S.realtime.requests import RATE_HZ, Configuration
from S2S.realtime.server import RealtimeServer
from S2S.realtime.user_speech import UserSpeech

COMMIT = "commit"
NOTHING_SAID = "input_audio_buffer_commit_empty"
QUOTED = 10
"""Number of recent messages whose words are removed from the server's errors."""


class Conversation:
    """Translates between the events of the server and our session. Everything happens on the thread of
    the loop."""

    def __init__(
        self,
        server: RealtimeServer,
        configuration: Configuration,
        session: Session,
        chat: ServedChat,
        speech: Channel[Speech | EndOfTurn],
        post: Callable[..., None],
    ) -> None:
        self.is_quiet = threading.Event()
        """Set while neither the user speaks nor an answer is to come."""
        self.link = Link(server, self)
        self._server = server
        self._configuration = configuration
        self._session = session
        self._chat = chat
        self._post = post
        self._answers = Answers(session, chat, speech, self.link.send, self._later, self._explain)
        self._speech = UserSpeech(session, chat, self._answers)
        self._settings = session.settings
        self._is_held = False
        """True between the user's signals that begin and end an utterance."""
        self._commits = 0
        """Commits by hand that the server has not confirmed; until then, it must not detect turns."""
        self._patience: Deadline | None = None
        """With these commits."""
        self._followed: tuple[SessionSettings, bool] | None = None
        """The settings that the server was given, and True if the user ends turns by hand."""
        self._present: dict[str, Any] = {}
        """These settings in the form of the protocol; empty without a connection."""
        self._given: list[tuple[str, ChatMessage]] = []
        """Messages that the present connection was given when it was opened."""
        self._lost = 0
        """Samples that the server has missed."""
        self._was_open = self._was_lost = self._is_told_of_nonsense = False
        self._is_told_away = False
        self._untold: EngineError | None = None
        """A lost connection that is still to be reported. A loss is reported at once, except in a new
        session, to which nobody may be listening yet: there, with the first audio."""
        self.is_quiet.set()

    def do(self, callback: Callable[..., object], *args: object) -> None:
        """Call `callback`, one of the methods below. A failure is reported, for its turn if there is
        one."""
        try:
            callback(*args)
        except Exception as error:
            turn = next((each.turn for each in args if isinstance(each, UserText)), None)
            if turn is None:
                self._session.report(STAGE, error)
            else:
                turn.fail(STAGE, error)
                self._answers.end(turn, f"{STAGE} failed")
        self._note_quiet()

    def fail(self, error: BaseException) -> None:
        """End the session, since its link has failed."""
        self._session.report(STAGE, EngineError(f"the link failed ({type(error).__name__})"))
        self._session.close(f"{STAGE} failed")

    # -- the session, whose stage posts these ------------------------------------------------------

    def hear(self, block: AudioBlock, event: str) -> None:
        """Send a window of the microphone."""
        self._follow_settings()
        self._tell_loss()
        self._tell_away()
        if not (self._settings.hands_free or self._is_held):
            return
        if not self.link.send_audio(event, len(block.samples) / RATE_HZ):
            self._lost += len(block.samples)
            return
        self._speech.sent(block)
        if self._lost:
            self._tell_dropped("the server did not accept it in time")

    def signal(self, action: ManualTurn) -> None:
        """Carry out a signal of the user."""
        self._is_held = action is ManualTurn.START
        if action is ManualTurn.CANCEL:
            self.link.send({"type": "input_audio_buffer.clear", "event_id": "clear"})
        elif action is ManualTurn.COMMIT and self.link.is_lost:
            self._session.report(STAGE, self._unreachable())
        elif action is ManualTurn.COMMIT:
            self._await_commits(self._commits + 1)
            self.link.send({"type": "input_audio_buffer.commit", "event_id": COMMIT})
        self._follow_settings()

    def ask(self, said: UserText) -> None:
        """Answer a typed text, or the conversation so far."""
        turn, context = said.turn, said.context
        self._follow_settings()
        self._answers.watch(turn)
        if self.link.is_lost:
            turn.fail(STAGE, self._unreachable())
            self._answers.end(turn, f"{STAGE} failed")
            return
        message = ChatMessage("user", said.text)
        if said.text and (context is not None or not turn.remembered):
            context = (*(context or ()), message)
        elif said.text:
            self._create(said_id(turn.number), message)
        elif turn.remembered:
            self._chat.keep_place(turn.number)
        self._request(turn, context)

    def note(self, id: str, message: ChatMessage, after: str | None) -> None:
        """Add a message of the client."""
        if message.answers:
            self._answers.next_origin = Origin.TOOL
        for item in requests.items(message, id):
            self.link.send(requests.create(item, "item", None if after is None else self._item(after)))

    def heard(self, turn: int) -> None:
        """Send the server an answer that was still being heard after the connection was lost."""
        if turn not in self._answers.orphans:
            return
        given = {id for id, _ in self._given}
        for id, message in self._chat.history():
            if id == heard_id(turn) and id not in given:
                self._create(id, message)

    def erase(self, id: str) -> None:
        """Delete a message."""
        item = self._item(id)
        self._speech.turn_of.pop(item, None)
        event = {"type": "conversation.item.delete", "event_id": RACES, "item_id": item}
        self.link.send(event)

    def close(self) -> None:
        """Wait for nothing more: the session is over."""
        self._answers.close()
        self._await_commits(0)

    # -- the link ----------------------------------------------------------------------------------

    def on_open(self) -> None:
        """Send the server the settings and, after a lost connection, the conversation so far."""
        self._answers.item_of.clear()
        self._follow_settings(anew=True)
        self._was_open, self._untold = True, None
        self._given = self._chat.history() if self._was_lost else []
        for id, message in self._given:
            self._create(id, message)
        self._was_lost = self._is_told_of_nonsense = False
        self._tell_away()
        if self._lost:
            self._tell_dropped("the connection to the server was lost")

    def on_lost(self, error: EngineError, is_first: bool) -> None:
        """End what the server was doing, and tell the client once."""
        self._was_lost = True
        self._present = {}
        self._await_commits(0)
        failed = self._answers.fail_all(error)
        self._speech.begin_anew()
        if is_first and not failed:
            self._untold = error
        if self._was_open:
            self._tell_loss()
            self._tell_away()
        self._note_quiet()

    def on_event(self, text: str | bytes) -> None:
        """Translate an event of the server."""
        try:
            event = read(text)
            if event is not None:
                self._take(event)
        except ValueError as error:
            if not self._is_told_of_nonsense:
                self._is_told_of_nonsense = True
                broken = f"{self._server.where} sent an event that does not follow the protocol: {error}"
                self._session.report(STAGE, EngineError(broken, "protocol"))
        except Exception as error:  # a bug of ours costs one event, not the connections of all sessions
            self._session.report(STAGE, error)
        self._note_quiet()

    # ----------------------------------------------------------------------------------------------

    def _take(self, event: ServerEvent) -> None:
        answers, speech = self._answers, self._speech
        match event:
            case AudioCame():
                answers.audio(event)
            case TextCame():
                answers.text(event)
            case WordsGrew():
                speech.words_grew(event)
            case WordsKnown():
                speech.words_known(event)
            case SpeechBegan():
                speech.began(event)
            case SpeechPaused():
                speech.paused(event)
            case SpeechCommitted():
                self._committed(speech.committed(event))
            case ItemDeleted():
                speech.deleted(event)
            case ResponseBegan():
                answers.began(event)
            case CallBegan():
                answers.call_began(event)
            case CallGrew():
                answers.call_grew(event)
            case CallMade():
                answers.call_made(event)
            case ResponseOver():
                answers.over(event)
                if event.status == "completed":
                    self.link.prove()
            case Faulted():
                self._fault(event)

    def _committed(self, turn: Turn) -> None:
        """Have a spoken turn answered; a server that detects turns does so by itself."""
        is_manual = self._commits > 0
        if is_manual:
            self._await_commits(self._commits - 1)
            self._follow_settings()
        if turn.settings.answers and turn.alive:
            if is_manual:
                self._request(turn, None)
            else:
                self._answers.expect(turn)

    def _await_commits(self, number: int) -> None:
        """Wait for the server to confirm so many commits."""
        self._commits = number
        if self._patience is not None:
            self._patience.cancel()
        self._patience = Deadline(lambda: self.do(self._give_commits_up)) if number else None

    def _give_commits_up(self) -> None:
        self._await_commits(0)
        self._follow_settings()
        self._session.report(STAGE, too_late())

    def _fault(self, event: Faulted) -> None:
        cause = event.event or self._suspect
        kind, _, number = cause.partition("_")
        if self._commits and (cause == COMMIT or event.code == NOTHING_SAID):
            self._await_commits(self._commits - 1)
            self._follow_settings()
        if event.event == RACES or event.code == "response_cancel_not_active":
            return
        if kind == "respond" and number.isdecimal():
            self._answers.refused(int(number), event.code, event.error)
        elif event.code == NOTHING_SAID:
            text = "expected speech before it is committed, got none"
            self._session.report(STAGE, EngineError(text, "nothing_said"))
        else:
            self._session.report(STAGE, EngineError(self._explain(event.error), event.code or "refused"))

    @property
    def _suspect(self) -> str:
        """The event of ours that an error without an id is about, since the server has confirmed all
        others; empty: it may be another."""
        suspects = [f"respond_{turn}" for turn in self._answers.requested]
        suspects += [COMMIT] if self._commits else []
        return suspects[0] if len(suspects) == 1 else ""

    def _request(self, turn: Turn, context: tuple[ChatMessage, ...] | None) -> None:
        wanted = self._configuration.of(turn.settings, by_hand=False)
        aside = not turn.remembered
        event = requests.respond(turn.number, wanted, self._present, context=context, aside=aside)
        self._answers.request(turn, event)

    def _follow_settings(self, *, anew: bool = False) -> None:
        """Send the server the settings of the session, if they have changed."""
        by_hand = self._is_held or self._commits > 0
        settings = self._settings = self._session.settings
        if anew:
            self._present = {}
        elif not self._present or (settings, by_hand) == self._followed:
            return
        self._followed = (settings, by_hand)
        wanted = self._configuration.of(settings, by_hand=by_hand)
        if (event := requests.update(wanted, self._present)) is not None:
            self.link.send(event)
        self._present = wanted

    def _create(self, id: str, message: ChatMessage) -> None:
        for item in requests.items(message, id):
            self.link.send(requests.create(item, "item"))

    def _item(self, id: str) -> str:
        """The server's id of a message; spoken messages have another id here."""
        said = {said_id(turn.number): item for item, turn in self._speech.turn_of.items()}
        heard = {heard_id(turn): item for turn, item in self._answers.item_of.items()}
        return said.get(id) or heard.get(id) or id

    def _tell_loss(self) -> None:
        if self._untold is not None:
            self._session.report(STAGE, self._untold)
            self._untold = None

    def _tell_away(self) -> None:
        if self._was_lost != self._is_told_away:
            self._is_told_away = self._was_lost
            self._session.events.emit(ModelAway(self._was_lost))

    def _tell_dropped(self, reason: str) -> None:
        samples, self._lost = self._lost, 0
        self._session.events.emit(AudioLost(samples, reason))

    def _unreachable(self) -> EngineError:
        where = self._server.where
        return EngineError(f"there is no connection to {where} now; reconnecting", "unreachable")

    def _explain(self, error: Fields) -> str:
        said = [message.content for _, message in self._chat.history()[-QUOTED:]]
        return f"{self._server.where}: {self._server.refusal(error, said)}"

    def _later(self, callback: Callable[..., object], *args: object) -> None:
        self._post(self.do, callback, *args)

    def _note_quiet(self) -> None:
        if self._answers.is_owed or self._speech.is_going_on:
            self.is_quiet.clear()
        else:
            self.is_quiet.set()
        if self._session.stop_event.is_set():  # also if it was closed just now
            self.is_quiet.set()
