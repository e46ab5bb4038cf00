"""Response: the events of one reply, in the order of the Realtime protocol."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openai.types.realtime import (
    RealtimeResponse,
    ResponseAudioDeltaEvent,
    ResponseAudioDoneEvent,
    ResponseAudioTranscriptDeltaEvent,
    ResponseAudioTranscriptDoneEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseDoneEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)
from openai.types.realtime.conversation_item import ConversationItem
from openai.types.realtime.realtime_server_event import (
    OutputAudioBufferCleared,
    OutputAudioBufferStarted,
    OutputAudioBufferStopped,
)

from connections.realtime.conversation import Conversation
from connections.realtime.items import (
    COMPLETED,
    IN_PROGRESS,
    INCOMPLETE,
    assistant_item,
    call_item,
)
from connections.realtime.server_events import SERVER, SendEvent
from connections.realtime.session_config import AUDIO, TEXT, SessionConfig
from LLM.chat import called_id, heard_id
from pipeline.messages import CONTENT_FILTER, INVALID_CALL, MAX_OUTPUT_TOKENS, ToolCall

CONVERSATION = "conv_1"
"""The id of the conversation, of which a session has one."""

WHOLE = ("done", "failed")
"""States of a turn, as in `TurnDone`, whose reply was heard to its end, however short it was."""

CLIENT_CANCELLED, TURN_DETECTED = "client_cancelled", "turn_detected"


@dataclass
class _Output:
    """An item of the response, and whether it is complete."""

    index: int
    item: ConversationItem
    done: bool = False


class Response:
    """Turns the events of a turn into those of a response. An `aside` is outside the conversation."""

    def __init__(
        self,
        turn: int,
        tell: SendEvent,
        conversation: Conversation,
        config: SessionConfig,
        *,
        aside: bool = False,
        metadata: Mapping[str, str] | None = None,
        audio_is_sent: bool = True,
    ) -> None:
        self.turn = turn
        self.id = f"resp_{turn}"
        self.aside = aside
        self._tell = tell
        self._conversation = conversation
        self._config = config
        self._metadata = metadata
        self._audio_is_sent = audio_is_sent
        self._text = ""
        self._error: dict[str, str] | None = None
        self._message: _Output | None = None
        self._audio_started = False
        self._calls: dict[str, _Output] = {}
        self.has_result = False
        """True if the client has added the result of a function that this response called."""
        tell(ResponseCreatedEvent, response=self._resource("in_progress"))

    # -- events of the turn ------------------------------------------------------------------------

    def audio_started(self) -> None:
        """The reply begins to be heard, which is announced unless audio is sent in messages."""
        if self._config.spoken and not self._audio_is_sent:
            self._audio_started = True
            self._open_message()
            self._tell(OutputAudioBufferStarted, response_id=self.id)

    def add_text(self, text: str) -> None:
        """Add the next piece of text, which begins to be heard."""
        message = self._open_message()
        self._text += text
        kind = ResponseAudioTranscriptDeltaEvent if self._config.spoken else ResponseTextDeltaEvent
        self._tell(kind, delta=text, content_index=0, **self._place(message))

    def add_audio(self, data: bytes) -> None:
        """Add the next piece of audio."""
        delta = base64.b64encode(data).decode()
        message = self._open_message()
        self._tell(ResponseAudioDeltaEvent, delta=delta, content_index=0, **self._place(message))

    def add_arguments(self, call: ToolCall) -> None:
        """Add the next characters of a function call's arguments."""
        output = self._output_of(call)
        self._tell(
            ResponseFunctionCallArgumentsDeltaEvent,
            call_id=call.id,
            delta=call.arguments,
            **self._place(output),
        )

    def complete_call(self, call: ToolCall) -> None:
        """Complete a function call."""
        output = self._output_of(call)
        self._tell(
            ResponseFunctionCallArgumentsDoneEvent,
            call_id=call.id,
            name=call.name,
            arguments=call.arguments,
            **self._place(output),
        )
        self._complete_item(output, call_item(called_id(call), call, COMPLETED))

    def add_result(self, call: str) -> None:
        """Note that the client has added the result of this call, made by any response."""
        self.has_result |= call in self._calls

    def fail(self, code: str, text: str) -> None:
        """Note that a stage failed; audio that was made before is still heard."""
        self._error = {"type": SERVER, "code": code, "message": text}

    def complete(self, state: str, reason: str) -> None:
        """Complete the response: the turn is over, with `state` and `reason` as in `TurnDone`."""
        status, details = self._outcome(state, reason)
        if self._audio_started and state not in WHOLE:
            self._tell(OutputAudioBufferCleared, response_id=self.id)
        whole = status == COMPLETED
        if self._message is not None:
            self._complete_message(self._message, COMPLETED if whole else INCOMPLETE)
        for output in self._calls.values():
            if not output.done:
                self._complete_item(output, output.item.model_copy(update={"status": INCOMPLETE}))
        self._tell(ResponseDoneEvent, response=self._resource(status, details))
        if self._audio_started and state in WHOLE:
            self._tell(OutputAudioBufferStopped, response_id=self.id)

    # ----------------------------------------------------------------------------------------------

    def _outcome(self, state: str, reason: str) -> tuple[str, dict[str, Any]]:
        if self._error is not None:
            return "failed", {"type": "failed", "error": self._error}
        if state == "done" and reason in (MAX_OUTPUT_TOKENS, CONTENT_FILTER):
            return INCOMPLETE, {"type": INCOMPLETE, "reason": reason}
        if state == "done" and reason == INVALID_CALL:  # the protocol has no reason for it
            return INCOMPLETE, {"type": INCOMPLETE}
        if state == "done":
            return COMPLETED, {"type": COMPLETED}
        why = CLIENT_CANCELLED if reason == CLIENT_CANCELLED else TURN_DETECTED
        return "cancelled", {"type": "cancelled", "reason": why}

    def _open_message(self) -> _Output:
        if self._message is None:
            item = assistant_item(heard_id(self.turn), IN_PROGRESS, "", spoken=self._config.spoken)
            self._message = self._add(item)
            part = (
                {"type": AUDIO, "transcript": ""} if self._config.spoken else {"type": TEXT, "text": ""}
            )
            place = self._place(self._message)
            self._tell(ResponseContentPartAddedEvent, part=part, content_index=0, **place)
        return self._message

    def _output_of(self, call: ToolCall) -> _Output:
        if call.id not in self._calls:
            empty = ToolCall(call.id, call.name, "")
            self._calls[call.id] = self._add(call_item(called_id(call), empty, IN_PROGRESS))
        return self._calls[call.id]

    def _complete_message(self, message: _Output, status: str) -> None:
        place: dict[str, Any] = {**self._place(message), "content_index": 0}
        if self._config.spoken:
            if self._audio_is_sent:
                self._tell(ResponseAudioDoneEvent, **place)
            self._tell(ResponseAudioTranscriptDoneEvent, transcript=self._text, **place)
            part = {"type": AUDIO, "transcript": self._text}
        else:
            self._tell(ResponseTextDoneEvent, text=self._text, **place)
            part = {"type": TEXT, "text": self._text}
        self._tell(ResponseContentPartDoneEvent, part=part, **place)
        spoken = self._config.spoken
        self._complete_item(
            message, assistant_item(heard_id(self.turn), status, self._text, spoken=spoken)
        )

    def _add(self, item: ConversationItem) -> _Output:
        output = _Output(len(self._calls) + (self._message is not None), item)
        self._tell(
            ResponseOutputItemAddedEvent, response_id=self.id, output_index=output.index, item=item
        )
        if not self.aside:
            self._conversation.added(item)
        return output

    def _complete_item(self, output: _Output, item: ConversationItem) -> None:
        output.done, output.item = True, item
        self._tell(
            ResponseOutputItemDoneEvent, response_id=self.id, output_index=output.index, item=item
        )
        if not self.aside:
            self._conversation.done(item)

    def _place(self, output: _Output) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": output.item.id, "output_index": output.index}

    def _resource(self, status: str, details: dict[str, Any] | None = None) -> RealtimeResponse:
        outputs = [*filter(None, [self._message]), *self._calls.values()]
        shown = self._config.shown
        return RealtimeResponse.model_validate(
            {
                "id": self.id,
                "object": "realtime.response",
                "status": status,
                "status_details": details,
                "output": [o.item for o in sorted(outputs, key=lambda output: output.index)],
                "conversation_id": None if self.aside else CONVERSATION,
                "output_modalities": shown["output_modalities"],
                "audio": {"output": {"format": shown["audio"]["output"]["format"]}},
                "max_output_tokens": "inf",
                "metadata": self._metadata,
                "usage": None,
            }
        )
