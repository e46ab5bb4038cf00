"""RealtimeSession: one conversation in the terms of the OpenAI Realtime protocol."""

import asyncio
import base64
import binascii
import contextlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from openai.types.realtime import (
    ConversationItemDeleteEvent,
    ConversationItemRetrieveEvent,
    ConversationItemTruncateEvent,
    InputAudioBufferAppendEvent,
    InputAudioBufferClearedEvent,
    InputAudioBufferClearEvent,
    InputAudioBufferCommitEvent,
    InputAudioBufferTimeoutTriggered,
    OutputAudioBufferClearEvent,
    RealtimeConversationItemFunctionCallOutput,
    ResponseCancelEvent,
    SessionCreatedEvent,
    SessionUpdatedEvent,
)
from openai.types.realtime.realtime_server_event import ConversationItemRetrieved

from connections.realtime.active_responses import ActiveResponses, ResponseRequest
from connections.realtime.client_events import (
    ItemCreate,
    Refusal,
    ResponseCreate,
    SessionUpdate,
    decode,
)
from connections.realtime.conversation import Conversation
from connections.realtime.responses import CLIENT_CANCELLED
from connections.realtime.server_events import SERVER, ServerEvents
from connections.realtime.session_config import SessionConfig
from connections.realtime.support import DUPLEX_REFUSED
from connections.realtime.utterance_items import UtteranceItems
from LLM.chat import Chat, heard_id
from pipeline.audio import WholeSamples
from pipeline.errors import EngineError, SessionBusy, SessionClosed
from pipeline.events import (
    AudioLost,
    ErrorEvent,
    Event,
    PartialTranscript,
    ReplyStarted,
    ReplyText,
    SpeechCancelled,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    ToolCallGrew,
    Transcript,
    TurnCommitted,
    TurnDone,
)
from pipeline.messages import Samples, ToolCall
from pipeline.session import Session
from pipeline.turn import Origin

MAX_EVENT = 1 << 18
"""Characters of an event without audio: instructions and functions of many pages."""

MAX_NUMBER = 9
"""Digits of a turn's number: several thousand years of conversation."""

LATE_CANCEL_S = 0.5
"""After speech has stopped a reply, a cancel that arrives within this time is meant for that reply. It
allows for the way to the client and back, and for the client's work in between."""


class RealtimeSession:
    """Translates between a client's events and a session. Everything happens on the thread of the
    server, in order: `handle` takes the client's events, `on_event` and `on_audio` the session's; `send`
    gets the events for the client."""

    def __init__(
        self, session: Session, send: Callable[[str], None], *, id: str, audio_is_sent: bool = True
    ) -> None:
        self.session = session
        self.tell = ServerEvents(send)
        memory = session.reports.memory
        chat = memory if isinstance(memory, Chat) else Chat()
        # the protocol tells of failures itself (response.done), and has no words for an apology
        session.change_settings(replace(session.settings, apologizes=False))
        self.config = SessionConfig(session.capabilities, session.settings, chat.default_instructions)
        self.audio_is_sent = audio_is_sent
        """True if the client gets audio in messages; over WebRTC it has a track."""
        self._id = id
        self._conversation = Conversation(chat, self.tell)
        self._utterances = UtteranceItems(self.tell, self._conversation, self.config)
        self._responses = ActiveResponses(
            session,
            self.tell,
            self._conversation,
            audio_is_sent=audio_is_sent,
            on_begin=self._stop_idle_timer,
        )
        self._appended = WholeSamples()
        self._sounding: int | None = None
        self._interrupted_at = -math.inf
        """When speech last stopped a reply, by the loop's clock; reset when the client asks for one."""
        self._user_speaks = False
        self._heard_ms = 0.0
        self._idle: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Greet the client, which has just connected."""
        self.tell(SessionCreatedEvent, session=self._shown())

    def configure(self, session: Mapping[str, Any]) -> None:
        """Apply a configuration from outside the conversation, such as a client secret's."""
        self.handle(json.dumps({"type": "session.update", "session": session}))

    # -- events of the client ----------------------------------------------------------------------

    def handle(self, text: str) -> Samples | None:
        """Carry out an event of the client, or reply with an error. Audio is returned: the caller knows
        how much of it the session can take at once."""
        try:
            event, refused_parts = decode(text)
        except Refusal as refusal:
            self.tell.refuse(refusal, refusal.event_id)
            return None
        with self.tell.instead_of(event.type, event.event_id), self.tell.replying_to(event.event_id):
            for part in refused_parts:
                self.tell.refuse(part, event.event_id)
            if isinstance(event, InputAudioBufferAppendEvent):
                return self._audio_of(event)
            if len(text) > MAX_EVENT:
                raise Refusal(f"expected at most {MAX_EVENT} characters without audio", "too_long")
            self._do(event)
        return None

    def feed(self, samples: Samples, rate_hz: int) -> None:
        """Feed audio of the microphone."""
        self._heard_ms += 1000 * len(samples) / rate_hz
        self.session.feed(samples, rate_hz)

    def _do(self, event: Any) -> None:
        why = DUPLEX_REFUSED.get(event.type) if self.session.capabilities.duplex else None
        if why is not None:
            raise Refusal(why, "unsupported")
        match event:
            case SessionUpdate():
                self._update(event)
            case InputAudioBufferCommitEvent():
                self._appended.clear()
                self.session.commit_speech()
                self._start_manual_turn()
            case InputAudioBufferClearEvent():
                self._appended.clear()
                self.session.cancel_speech()
                self._start_manual_turn()
                self.tell(InputAudioBufferClearedEvent)
            case ItemCreate(item=item):
                self._conversation.create(event)
                if isinstance(item, RealtimeConversationItemFunctionCallOutput):
                    self._responses.add_result(item.call_id)
            case ConversationItemRetrieveEvent(item_id=item):
                self.tell(ConversationItemRetrieved, item=self._conversation.retrieve(item))
            case ConversationItemDeleteEvent(item_id=item):
                self._conversation.delete(item)
            case ConversationItemTruncateEvent(item_id=item, audio_end_ms=ms, content_index=part):
                if ms < 0 or part != 0:
                    text = f"expected audio_end_ms from 0 and content_index 0, got {ms} and {part}"
                    raise Refusal(text, param="audio_end_ms" if ms < 0 else "content_index")
                self._truncate(item, ms)
            case ResponseCreate():
                self._respond(event)
            case ResponseCancelEvent(response_id=id):
                self._cancel(id)
            case OutputAudioBufferClearEvent():
                if self.audio_is_sent:
                    raise Refusal("the audio is in your own buffer; this is for WebRTC", "unsupported")
                if self._sounding is not None:  # otherwise the response.cancel before it has done so
                    self._responses.stop(self._sounding)

    def _update(self, event: SessionUpdate) -> None:
        by_hand, format = not self.config.settings.hands_free, self.config.input_format
        for refusal in self.config.update(event.session, begun=self.session.has_begun):
            self.tell.refuse(refusal, event.event_id)
        if self.config.input_format is not format:
            self._appended.clear()
        self.session.change_settings(self.config.settings)
        if by_hand and self.config.settings.hands_free:
            self.session.cancel_speech()
        elif not by_hand:
            self._start_manual_turn()
        self._start_idle_timer()
        self.tell(SessionUpdatedEvent, session=self._shown())

    def _start_manual_turn(self) -> None:
        """Without turn detection all speech belongs to one turn until it is committed."""
        if not self.config.settings.hands_free:
            self.session.start_speech()

    def _audio_of(self, event: InputAudioBufferAppendEvent) -> Samples:
        try:
            data = base64.b64decode(event.audio, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refusal("expected audio in base64", "invalid_audio", "audio") from error
        format = self.config.input_format
        return format.decode(self._appended.take(data, format.bytes_per_sample))

    def _truncate(self, item: str, audio_end_ms: int) -> None:
        of_turn = self._responses.of_turn
        turn = next((number for number in of_turn if heard_id(number) == item), None)
        if turn is None:
            prefix = heard_id(0).removesuffix("0")
            number = item.removeprefix(prefix)
            is_number = number.isdecimal() and len(number) <= MAX_NUMBER
            turn = int(number) if item.startswith(prefix) and is_number else None
        else:  # a client that truncates a reply does not want to hear the rest
            self._responses.stop(turn)
        rate_hz = self.session.playout.rate_hz
        sample = audio_end_ms * rate_hz // 1000
        if turn is None or not self.session.playout.played(turn, sample):
            raise Refusal(
                f"expected one of the latest replies, got {item!r:.100}",
                "item_truncate_invalid_item_id",
                "item_id",
            )
        self._conversation.truncated(item, audio_end_ms)

    def _respond(self, event: ResponseCreate) -> None:
        wanted = event.response
        aside = wanted is not None and wanted.conversation == "none"
        if wanted is not None and wanted.conversation not in (None, "auto", "none"):
            text = f'expected "auto" or "none", got {wanted.conversation!r:.100}'
            raise Refusal(text, param="response.conversation")
        config, refusals = self.config.for_response(wanted)
        for refusal in refusals:
            self.tell.refuse(refusal, event.event_id)
        items = wanted.input if wanted is not None else None
        context = None if items is None else self._conversation.messages(items)
        metadata = wanted.metadata if wanted is not None else None
        self._responses.request(ResponseRequest(config, context, aside, metadata, event.event_id))
        self._interrupted_at = -math.inf

    def _cancel(self, id: str | None) -> None:
        """Interrupt a response. A client that learns that speech has stopped a reply may then cancel it;
        by that time the next one may be under way, and must not be cancelled."""
        is_late = asyncio.get_running_loop().time() < self._interrupted_at + LATE_CANCEL_S
        turn = (
            (None if is_late else self._responses.active)
            if id is None
            else next((r.turn for r in self._responses.of_turn.values() if r.id == id), None)
        )
        if turn is None:
            raise Refusal(
                "Cancellation failed: expected an active response, there is none"
                + (f" with the id {id!r:.100}" if id else ""),
                "response_cancel_not_active",
            )
        self._responses.cancel(turn)

    # -- events of the session ---------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Translate an event of the session."""
        with self.tell.instead_of(type(event).__name__):
            self._translate(event)

    def on_audio(self, turn: int, samples: Samples) -> None:
        """Send the next piece of a reply."""
        response = self._responses.of_turn.get(turn)
        if response is not None:
            response.add_audio(self.config.output_format.encode(samples))

    def close(self) -> None:
        """End the session."""
        self._stop_idle_timer()

    def _translate(self, event: Event) -> None:
        of_turn = self._responses.of_turn
        match event:
            case SpeechStarted(sample=sample):
                self._user_speaks = True
                self._stop_idle_timer()
                held = self._sounding is not None and self.config.settings.interruptible
                self._utterances.started(self._ms(sample), held=held)
            case SpeechEnded(speech_end_sample=sample):
                self._user_speaks = False
                self._utterances.stopped(self._ms(sample))
            case SpeechCancelled():
                self._user_speaks = False
                self._utterances.cancelled()
            case PartialTranscript(text=text, stable_chars=stable) if self.config.wants_partials:
                self._utterances.partial(text[:stable])
            case TurnCommitted(turn=turn, origin=Origin.SPEECH.value, answered=answered):
                self._utterances.committed(turn)
                if answered:
                    self._responses.awaited.add(turn)
            case TurnCommitted(turn=turn) if turn not in of_turn:
                self._responses.begin(turn, self.config)
            case Transcript(turn=turn, text=text):
                self._utterances.transcribed(turn, text)
                self._begin_awaited(turn)
            case ReplyStarted(turn=turn):
                self._sounding = turn
                self._begin_awaited(turn)
                if turn in of_turn:
                    of_turn[turn].audio_started()
            case ReplyText(turn=turn, text=text) if turn in of_turn:
                of_turn[turn].add_text(text)
            case ToolCallGrew(turn=turn):
                self._begin_awaited(turn)
                if turn in of_turn:
                    of_turn[turn].add_arguments(_call_of(event))
            case ToolCalled(turn=turn):
                self._begin_awaited(turn)
                if turn in of_turn:
                    of_turn[turn].complete_call(_call_of(event))
            case ErrorEvent():
                self._tell_error(event)
            case AudioLost(reason=reason):
                self.tell.error(f"some of your audio was lost: {reason}", "audio_lost", type=SERVER)
            case TurnDone():
                self._finish(event)

    def _begin_awaited(self, turn: int) -> None:
        """Begin the response to the user's speech once its words are known. An end-to-end engine may
        return no words; then the response begins with the first sign of the answer."""
        if turn in self._responses.awaited:
            self._responses.begin(turn, self.config)

    def _finish(self, event: TurnDone) -> None:
        turn = event.turn
        if self._sounding == turn:
            self._sounding = None
            if event.state == "interrupted" and event.reason != CLIENT_CANCELLED:
                self._utterances.announce()
                self._interrupted_at = asyncio.get_running_loop().time()
        dropped, answered = event.state == "dropped", turn in self._responses.of_turn
        self._utterances.over(turn, dropped=dropped, answered=answered)
        self._responses.end(event)
        self._start_idle_timer()

    def _tell_error(self, event: ErrorEvent) -> None:
        turn = event.turn
        if turn is not None and event.stage != "stt":
            self._begin_awaited(turn)
        if turn in self._responses.of_turn:
            self._responses.of_turn[turn].fail(event.code, event.text)
        elif turn is not None and self._utterances.transcription_failed(turn, event.code, event.text):
            pass
        elif event.code == "nothing_said":
            self.tell.error(event.text, "input_audio_buffer_commit_empty")
        else:
            self.tell.error(event.text, event.code, type=SERVER)

    # -- a silent user -----------------------------------------------------------------------------

    def _start_idle_timer(self) -> None:
        """Wait for the user after a reply, if the client has set a timeout."""
        self._stop_idle_timer()
        idle_ms = self.config.idle_timeout_ms
        if idle_ms is not None and self._responses.active is None and not self._user_speaks:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(idle_ms / 1000, self._on_idle, self._heard_ms)

    def _stop_idle_timer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _on_idle(self, since_ms: float) -> None:
        item = self._utterances.new_item()
        span = {"audio_start_ms": int(since_ms), "audio_end_ms": int(self._heard_ms)}
        self.tell(InputAudioBufferTimeoutTriggered, item_id=item, **span)
        with contextlib.suppress(Refusal, EngineError, SessionBusy, SessionClosed):
            self._responses.request(ResponseRequest(self.config))

    # ----------------------------------------------------------------------------------------------

    def _ms(self, sample: int) -> int:
        return 1000 * sample // self.session.intake.rate_hz

    def _shown(self) -> dict[str, Any]:
        return {"id": self._id, "object": "realtime.session", **self.config.shown}


def _call_of(event: ToolCallGrew | ToolCalled) -> ToolCall:
    return ToolCall(event.call, event.name, event.arguments)
