"""UserSpeech: turns the speech that the server detects into our turns."""

from collections import deque

from pipeline.errors import EngineError
from pipeline.events import PartialTranscript, SpeechCancelled, SpeechEnded, SpeechStarted
from pipeline.messages import AudioBlock
from pipeline.session import TURNS_IN_LINE, Session
from pipeline.turn import Origin, Turn
from S2S.realtime.events import (
    ItemDeleted,
    SpeechBegan,
    SpeechCommitted,
    SpeechPaused,
    WordsGrew,
    WordsKnown,
)
from S2S.realtime.items import Items
from S2S.realtime.replies import Replies
from S2S.realtime.sent_audio import SentAudio
from S2S.realtime.waiting_turns import WaitingTurns


class UserSpeech:
    """Translates the server's events about the microphone's audio into ours. Everything happens on the
    thread of the loop."""

    def __init__(self, session: Session, items: Items, waiting: WaitingTurns, replies: Replies) -> None:
        self.is_going_on = False
        self._session = session
        self._items = items
        self._waiting = waiting
        self._replies = replies
        self._audio = SentAudio()
        self._ended_at: int | None = None
        """End of the speech that is not committed yet; None: the server has not reported it."""
        self._words = ""
        self._words_item = ""
        self._only_recognized: deque[Turn] = deque()
        """Turns that end with their transcript, without an answer."""

    def sent(self, block: AudioBlock) -> None:
        """Note that a window is on its way to the server."""
        self._audio.add(block)

    def lose(self, error: EngineError) -> bool:
        """Forget the speech that the server was hearing, and let the turns fail that wait for their
        words, since the server is gone. Returns False if there is none."""
        failed = [self._replies.fail(turn, error) for turn in self._only_recognized]
        self._only_recognized.clear()
        self._audio.begin_anew()
        if self.is_going_on:
            self.is_going_on = False
            self._session.events.emit(SpeechCancelled(self._audio.end))
        return any(failed)

    # -- events of the server ----------------------------------------------------------------------

    def began(self, event: SpeechBegan) -> None:
        """Report that the user speaks, which stops the reply."""
        self.is_going_on = True
        self._session.events.emit(SpeechStarted(self._audio.position(event.at_ms)))
        settings = self._session.settings
        if settings.interruptible and settings.hands_free:
            self._replies.interrupt("the user began to speak")

    def paused(self, event: SpeechPaused) -> None:
        """Report that the user has stopped speaking."""
        self.is_going_on = False
        self._ended_at = self._audio.position(event.at_ms)
        self._session.events.emit(SpeechEnded(self._ended_at))

    def committed(self, event: SpeechCommitted) -> Turn:
        """The speech becomes a turn."""
        self.is_going_on = False
        turn = self._session.begin_turn(Origin.SPEECH)
        if self._ended_at is not None and (at := self._audio.captured_at(self._ended_at)) is not None:
            turn.mark("speech_end", at)
        self._ended_at = None
        turn.mark("endpoint")
        self._items.said(event.item, turn)
        turn.commit()
        if not turn.settings.answers:
            self._only_recognized.append(turn)
            if len(self._only_recognized) > TURNS_IN_LINE:
                self._replies.end(self._only_recognized.popleft())
        return turn

    def words_grew(self, event: WordsGrew) -> None:
        """Report more of a transcript."""
        if event.item != self._words_item:
            self._words, self._words_item = "", event.item
        self._words += event.delta
        if self._items.turn_of(event.item) is None and self._session.events.wanted(PartialTranscript):
            self._session.events.emit(PartialTranscript(self._words, len(self._words)))

    def words_known(self, event: WordsKnown) -> None:
        """The transcript is complete."""
        turn = self._items.turn_of(event.item)
        if turn is None:
            return
        if event.text is not None:
            self._session.reports.understood(turn, event.text, None, None)
        if turn in self._only_recognized:
            self._only_recognized.remove(turn)
            self._replies.end(turn)

    def deleted(self, event: ItemDeleted) -> None:
        """Handle a withdrawn utterance: it was noise, or the next one includes it."""
        turn = self._items.deleted(event.item)
        if turn is None:
            return
        self._waiting.drop(turn)
        if not turn.drop("the user went on"):
            turn.interrupt("the user went on")
