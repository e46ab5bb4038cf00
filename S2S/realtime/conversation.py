"""Conversation: connects one of our sessions to one session of the server."""

import threading
from collections.abc import Callable

from LLM.chat import said_id
from pipeline.channel import Channel
from pipeline.errors import EngineError
from pipeline.messages import AudioBlock, ChatMessage, EndOfTurn, ManualTurn, Speech, UserText
from pipeline.session import Session
from pipeline.turn import Turn
from S2S.realtime import requests
from S2S.realtime.chat import ServedChat
from S2S.realtime.commits import Commits
from S2S.realtime.configuration import Configuration
from S2S.realtime.events import (
    Faulted,
    Fields,
    ItemDeleted,
    ResponseBegan,
    ResponseOver,
    ServerEvent,
    SpeechBegan,
    SpeechCommitted,
    SpeechPaused,
    WordsGrew,
    WordsKnown,
)
from S2S.realtime.items import Items
from S2S.realtime.link import Link
from S2S.realtime.notices import Notices
from S2S.realtime.reading import read
from S2S.realtime.replies import STAGE, Replies
from S2S.realtime.requests import RATE_HZ
from S2S.realtime.responses import Responses
from S2S.realtime.server import RealtimeServer
from S2S.realtime.server_settings import ServerSettings
from S2S.realtime.user_speech import UserSpeech

NOTHING_SAID = "input_audio_buffer_commit_empty"
NOT_ACTIVE = "response_cancel_not_active"
QUOTED = 10
"""Number of recent messages whose words are removed from the server's errors."""


class Conversation:
    """Passes on what either side reports: the session, by methods that are posted; the link, whose
    events it gives to the part that they concern. Everything but `post` happens on the thread of the
    loop."""

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
        self.is_quiet.set()
        self.link = Link(server, self)
        self._server = server
        self._session = session
        self._chat = chat
        self._post = post
        send = self.link.send
        self._items = Items(chat, send)
        self._replies = Replies(speech)
        self._responses = Responses(
            session, chat, self._items, self._replies, send, self.post, self._explain
        )
        self._waiting = self._responses.waiting
        self._speech = UserSpeech(session, self._items, self._waiting, self._replies)
        self._settings = ServerSettings(configuration, session, send)
        self._commits = Commits(session, self._settings, send)
        self._notices = Notices(session)

    def post(self, callback: Callable[..., object], *args: object) -> None:
        """Have `callback`, one of the methods below, called on the thread of the loop."""
        self._post(self._do, callback, *args)

    def fail(self, error: BaseException) -> None:
        """End the session, since its link has failed."""
        self._session.report(STAGE, EngineError(f"the link failed ({type(error).__name__})"))
        self._session.close(f"{STAGE} failed")

    # -- the session, whose stage posts these ------------------------------------------------------

    def hear(self, block: AudioBlock, event: str) -> None:
        """Send a window of the microphone."""
        settings = self._settings.follow()
        self._notices.tell()
        if not (settings.hands_free or self._commits.is_held):
            return
        if self.link.send_audio(event, len(block.samples) / RATE_HZ):
            self._speech.sent(block)
            self._notices.caught_up("the server did not accept it in time")
        else:
            self._notices.missed(len(block.samples))

    def signal(self, action: ManualTurn) -> None:
        """Carry out a signal of the user."""
        self._commits.signal(action)
        if action is ManualTurn.COMMIT and self.link.is_lost:
            self._commits.give_up()
            self._session.report(STAGE, self._unreachable())

    def ask(self, said: UserText) -> None:
        """Answer a typed text, or the conversation so far."""
        turn, context = said.turn, said.context
        self._settings.follow()
        self._responses.watch(turn)
        if self.link.is_lost:
            self._replies.fail(turn, self._unreachable())
            return
        message = ChatMessage("user", said.text)
        if said.text and (context is not None or not turn.remembered):
            context = (*(context or ()), message)
        elif said.text:
            self._items.add(said_id(turn.number), message)
        elif turn.remembered:
            self._chat.keep_place(turn.number)
        self._waiting.request(turn, self._settings.request(turn, context))

    def note(self, id: str, message: ChatMessage, after: str | None) -> None:
        """Add a message of the client."""
        if message.answers:
            self._responses.expect_use_of_result()
        self._items.add(id, message, after)

    def heard(self, turn: int) -> None:
        """Note that an answer has been heard."""
        self._items.heard(turn)

    def erase(self, id: str) -> None:
        """Delete a message."""
        self._items.erase(id)

    def close(self) -> None:
        """Wait for nothing more: the session is over."""
        self._responses.close()
        self._commits.give_up()

    # -- the link ----------------------------------------------------------------------------------

    def on_open(self) -> None:
        """Send the server the settings and, after a lost connection, the conversation so far."""
        self._settings.give_all()
        if self._notices.is_away:
            self._items.give_back()
        self._notices.opened()

    def on_lost(self, error: EngineError, is_first: bool) -> None:
        """End what the server was doing, and tell the client once."""
        self._settings.lose()
        self._commits.give_up()
        have_failed = [self._responses.lose(error), self._speech.lose(error)]
        self._notices.lost(error if is_first and not any(have_failed) else None)
        self._note_quiet()

    def on_event(self, text: str | bytes) -> None:
        """Translate an event of the server."""
        try:
            event = read(text)
            if event is not None:
                self._take(event)
        except ValueError as error:
            broken = f"{self._server.where} sent an event that does not follow the protocol: {error}"
            self._notices.nonsense(EngineError(broken, "protocol"))
        except Exception as error:  # a bug of ours costs one event, not the connections of all sessions
            self._session.report(STAGE, error)
        self._note_quiet()

    # ----------------------------------------------------------------------------------------------

    def _do(self, callback: Callable[..., object], *args: object) -> None:
        """Call `callback`. A failure is reported, for its turn if there is one."""
        try:
            callback(*args)
        except Exception as error:
            turn = next((each.turn for each in args if isinstance(each, UserText)), None)
            if turn is not None:
                self._waiting.drop(turn)
            if turn is None or not self._replies.fail(turn, error):
                self._session.report(STAGE, error)
        self._note_quiet()

    def _take(self, event: ServerEvent) -> None:
        match event:
            case SpeechBegan():
                self._speech.began(event)
            case SpeechPaused():
                self._speech.paused(event)
            case SpeechCommitted():
                self._committed(self._speech.committed(event))
            case WordsGrew():
                self._speech.words_grew(event)
            case WordsKnown():
                self._speech.words_known(event)
            case ItemDeleted():
                self._speech.deleted(event)
            case ResponseBegan():
                self._responses.began(event)
            case ResponseOver():
                self._responses.over(event)
                if event.status == "completed":
                    self.link.prove()
            case Faulted():
                self._faulted(event)
            case _:
                self._responses.part(event)

    def _committed(self, turn: Turn) -> None:
        """Have a spoken turn answered; a server that detects turns does so by itself."""
        self._responses.watch(turn)
        by_hand = self._commits.settle()
        if turn.settings.answers and turn.alive:
            if by_hand:
                self._waiting.request(turn, self._settings.request(turn, None))
            else:
                self._waiting.expect(turn)

    def _faulted(self, event: Faulted) -> None:
        """The server reports an error. Some are about an event of ours that it has not answered."""
        cause = event.event or self._suspect
        is_nothing_said = event.code == NOTHING_SAID
        if cause == requests.COMMIT or is_nothing_said:
            self._commits.settle()
        if event.event == requests.RACE or event.code == NOT_ACTIVE:
            return
        error = self._explain(event.error, event.code or "refused")
        if (turn := requests.requested_turn(cause)) is not None:
            self._waiting.refused(turn, error)
        elif is_nothing_said:
            text = "expected speech before it is committed, got none"
            self._session.report(STAGE, EngineError(text, "nothing_said"))
        else:
            self._session.report(STAGE, error)

    @property
    def _suspect(self) -> str:
        """The event of ours that an error without an id is about, since the server has confirmed all
        others; empty: it may be another."""
        suspects = [requests.request_id(turn) for turn in self._waiting.requested]
        suspects += [requests.COMMIT] if self._commits.are_awaited else []
        return suspects[0] if len(suspects) == 1 else ""

    def _unreachable(self) -> EngineError:
        where = self._server.where
        return EngineError(f"there is no connection to {where} now; reconnecting", "unreachable")

    def _explain(self, error: Fields, code: str) -> EngineError:
        """An error of the server, without the words of the conversation."""
        said = [message.content for _, message in self._chat.history()[-QUOTED:]]
        return EngineError(f"{self._server.where}: {self._server.refusal(error, said)}", code)

    def _note_quiet(self) -> None:
        if self._waiting.is_any_alive or not self._replies.are_complete or self._speech.is_going_on:
            self.is_quiet.clear()
        else:
            self.is_quiet.set()
        if self._session.stop_event.is_set():  # also if it was closed just now
            self.is_quiet.set()
