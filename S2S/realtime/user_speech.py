"""UserSpeech: turns the speech that the server detects into our turns."""

from collections import OrderedDict, deque

from pipeline.events import PartialTranscript, SpeechCancelled, SpeechEnded, SpeechStarted
from pipeline.messages import AudioBlock
from pipeline.session import TURNS_IN_LINE, Session
from pipeline.turn import Origin, Turn
from S2S.realtime.answers import Answers
from S2S.realtime.chat import ServedChat
from S2S.realtime.events import (
    ItemDeleted,
    SpeechBegan,
    SpeechCommitted,
    SpeechPaused,
    WordsGrew,
    WordsKnown,
)
from S2S.realtime.requests import RATE_HZ

GAPS_KEPT = 32
"""Number of recent gaps in the sent audio that are kept to translate positions; in half duplex, each
reply makes a gap."""

ITEMS_KEPT = 64
"""Number of recent items whose words a server may still send."""


class UserSpeech:
    """Translates the server's events about the microphone's audio into ours. Everything happens on the
    thread of the loop."""

    def __init__(self, session: Session, chat: ServedChat, answers: Answers) -> None:
        self.is_going_on = False
        self.turn_of: OrderedDict[str, Turn] = OrderedDict()
        """Recent item ▶ the turn in which the user said it."""
        self._session = session
        self._chat = chat
        self._answers = answers
        self._sent = 0
        """Samples that the server has received."""
        self._spans: deque[tuple[int, int]] = deque([(0, 0)], GAPS_KEPT)
        """The server's position ▶ the session's position, at the beginning and after each gap."""
        self._next_sample = 0
        self._end: AudioBlock | None = None
        """The last window."""
        self._ended_at: int | None = None
        """End of the speech that is not committed yet; None: the server has not reported it."""
        self._words = ""
        self._words_item = ""
        self._only_recognized: deque[Turn] = deque()
        """Turns that end with their transcript, without an answer."""

    # -- the audio that is sent --------------------------------------------------------------------

    def sent(self, block: AudioBlock) -> None:
        """Note that a window is on its way to the server."""
        if block.start_sample != self._next_sample:
            self._spans.append((self._sent, block.start_sample))
        self._sent += len(block.samples)
        self._next_sample = block.start_sample + len(block.samples)
        self._end = block

    def begin_anew(self) -> None:
        """Start counting again: a new connection counts from zero."""
        self._spans.clear()
        self._spans.append((0, self._next_sample))
        self._sent = 0
        if self.is_going_on:
            self.is_going_on = False
            self._session.events.emit(SpeechCancelled(self._next_sample))

    # -- events of the server ----------------------------------------------------------------------

    def began(self, event: SpeechBegan) -> None:
        """Report that the user speaks, which stops the reply."""
        self.is_going_on = True
        self._session.events.emit(SpeechStarted(self._position(event.at_ms)))
        settings = self._session.settings
        if settings.interruptible and settings.hands_free:
            self._answers.interrupt("the user began to speak")

    def paused(self, event: SpeechPaused) -> None:
        """Report that the user has stopped speaking."""
        self.is_going_on = False
        self._ended_at = self._position(event.at_ms)
        self._session.events.emit(SpeechEnded(self._ended_at))

    def committed(self, event: SpeechCommitted) -> Turn:
        """The speech becomes a turn."""
        self.is_going_on = False
        turn = self._session.begin_turn(Origin.SPEECH)
        if self._end is not None and self._ended_at is not None:
            behind_s = (self._end.start_sample - self._ended_at) / RATE_HZ
            turn.mark("speech_end", self._end.captured_at - behind_s)
        self._ended_at = None
        turn.mark("endpoint")
        self.turn_of[event.item] = turn
        if len(self.turn_of) > ITEMS_KEPT:
            self.turn_of.popitem(last=False)
        self._chat.keep_place(turn.number)
        self._answers.watch(turn)
        turn.commit()
        if not turn.settings.answers:
            self._only_recognized.append(turn)
            if len(self._only_recognized) > TURNS_IN_LINE:
                self._answers.end(self._only_recognized.popleft())
        return turn

    def words_grew(self, event: WordsGrew) -> None:
        """Report more of a transcript."""
        if event.item != self._words_item:
            self._words, self._words_item = "", event.item
        self._words += event.delta
        if event.item not in self.turn_of and self._session.events.wanted(PartialTranscript):
            self._session.events.emit(PartialTranscript(self._words, len(self._words)))

    def words_known(self, event: WordsKnown) -> None:
        """The transcript is complete."""
        turn = self.turn_of.get(event.item)
        if turn is None:
            return
        if event.text is not None:
            self._session.reports.understood(turn, event.text, None, None)
        if turn in self._only_recognized:
            self._only_recognized.remove(turn)
            self._answers.end(turn)

    def deleted(self, event: ItemDeleted) -> None:
        """Handle a withdrawn utterance: it was noise, or the next one includes it."""
        turn = self.turn_of.pop(event.item, None)
        if turn is None:
            return
        self._answers.expect_no_more(turn)
        if not turn.drop("the user went on"):
            turn.interrupt("the user went on")

    def _position(self, at_ms: int | None) -> int:
        """The position in the session of a moment at the server; None: now. A server may be wrong, so it
        is within the audio that was sent."""
        if at_ms is None:
            return self._next_sample
        at = min(max(0, at_ms * RATE_HZ // 1000), self._sent)
        started, position = next(
            (span for span in reversed(self._spans) if span[0] <= at), self._spans[0]
        )
        return max(0, position + at - started)
