"""UtteranceItems: the events about the user's speech, from the first word to the transcript."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    ConversationItemInputAudioTranscriptionDeltaEvent,
    ConversationItemInputAudioTranscriptionFailedEvent,
    InputAudioBufferCommittedEvent,
    InputAudioBufferSpeechStartedEvent,
    InputAudioBufferSpeechStoppedEvent,
)

from connections.realtime.conversation import Conversation
from connections.realtime.items import COMPLETED, IN_PROGRESS, user_item
from connections.realtime.server_events import SERVER, SendEvent
from connections.realtime.session_config import SessionConfig


@dataclass
class _Utterance:
    """Speech of the user; it becomes a turn when it is committed."""

    item: str
    started_ms: int
    stopped_ms: int | None = None
    is_announced: bool = False
    is_transcribed: bool = False
    words_sent: str = ""

    @property
    def seconds(self) -> float:
        """The duration, as far as it is known."""
        return max(0, (self.stopped_ms or self.started_ms) - self.started_ms) / 1000


class UtteranceItems:
    """The items of the user's speech, as the client is told of them.

    Speech during a reply is announced only when it has stopped the reply: clients drop the rest of the
    reply as soon as speech is announced, and a cough or a backchannel would cost them words.
    """

    def __init__(self, tell: SendEvent, conversation: Conversation, config: SessionConfig) -> None:
        self._tell = tell
        self._conversation = conversation
        self._config = config
        self._names = count(1)
        self._latest: _Utterance | None = None
        self._of_turn: dict[int, _Utterance] = {}

    def started(self, at_ms: int, *, held: bool) -> None:
        """Note that the user begins to speak; `held`: during a reply that speech may stop."""
        self._latest = _Utterance(self.new_item(), at_ms)
        if not held:
            self.announce()

    def stopped(self, at_ms: int) -> None:
        """Note that the user has paused for long enough."""
        if self._latest is not None:
            self._latest.stopped_ms = at_ms
            if self._latest.is_announced:
                self._announce_end(self._latest)

    def cancelled(self) -> None:
        """Note that the speech came to nothing, or that the user cancelled it."""
        self._latest = None

    def announce(self) -> None:
        """Announce the speech: it is more than a backchannel."""
        latest = self._latest
        if latest is None or latest.is_announced:
            return
        latest.is_announced = True
        self._tell(
            InputAudioBufferSpeechStartedEvent, item_id=latest.item, audio_start_ms=latest.started_ms
        )
        if latest.stopped_ms is not None:
            self._announce_end(latest)

    def partial(self, stable: str) -> None:
        """Send the part of the partial transcript that will not change anymore."""
        if self._latest is not None and self._latest.is_announced:
            self._send_words(self._latest, stable)

    def committed(self, turn: int) -> None:
        """Turn the speech into an item of this turn, which is committed."""
        self.announce()
        utterance = self._latest or _Utterance(self.new_item(), 0)
        self._latest = None
        self._of_turn[turn] = utterance
        self._conversation.spoken_in(turn, utterance.item)
        previous = self._conversation.latest
        self._tell(InputAudioBufferCommittedEvent, item_id=utterance.item, previous_item_id=previous)
        self._conversation.added(user_item(utterance.item, IN_PROGRESS, None, spoken=True))

    def transcribed(self, turn: int, text: str) -> None:
        """Send the transcript of a turn."""
        utterance = self._of_turn.get(turn)
        if utterance is None:
            return
        utterance.is_transcribed = True
        if self._config.transcribes:
            self._send_words(utterance, text)
            self._tell(
                ConversationItemInputAudioTranscriptionCompletedEvent,
                item_id=utterance.item,
                content_index=0,
                transcript=text,
                usage={"type": "duration", "seconds": utterance.seconds},
            )
        self._conversation.done(user_item(utterance.item, COMPLETED, text, spoken=True))

    def transcription_failed(self, turn: int, code: str, text: str) -> bool:
        """Announce that the recognizer failed. False: the error is not about a pending transcript."""
        utterance = self._of_turn.get(turn)
        if utterance is None or utterance.is_transcribed:
            return False
        error = {"type": SERVER, "code": code, "message": text}
        self._tell(
            ConversationItemInputAudioTranscriptionFailedEvent,
            item_id=utterance.item,
            content_index=0,
            error=error,
        )
        return True

    def over(self, turn: int, *, dropped: bool, answered: bool) -> None:
        """The turn is over. `dropped`: its words belong to the user's next turn. An item with neither
        words nor a reply is deleted; a reply of a speech-to-speech model needs no words."""
        utterance = self._of_turn.pop(turn, None)
        if utterance is None:
            return
        wordless = not utterance.is_transcribed
        if wordless:
            self._conversation.done(user_item(utterance.item, COMPLETED, None, spoken=True))
        if dropped or (wordless and not answered):
            self._conversation.forgotten(utterance.item)

    def new_item(self) -> str:
        """A new item id."""
        return f"item_speech_{next(self._names)}"

    def _announce_end(self, utterance: _Utterance) -> None:
        self._tell(
            InputAudioBufferSpeechStoppedEvent,
            item_id=utterance.item,
            audio_end_ms=utterance.stopped_ms,
        )

    def _send_words(self, utterance: _Utterance, text: str) -> None:
        """Send the words that are new; the client joins them."""
        if text.startswith(utterance.words_sent) and len(text) > len(utterance.words_sent):
            delta: dict[str, Any] = {"delta": text[len(utterance.words_sent) :], "content_index": 0}
            self._tell(
                ConversationItemInputAudioTranscriptionDeltaEvent, item_id=utterance.item, **delta
            )
            utterance.words_sent = text
